package actor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/mailbox"
)

// An actor owns its state: nobody else touches sum.
func ExampleSpawn() {
	g := actor.NewGroup(context.Background())
	adder := actor.Spawn(g, "adder", 8, func(ctx context.Context, in *mailbox.Mailbox[int]) error {
		sum := 0
		for sum < 6 {
			n, err := in.Get(ctx)
			if err != nil {
				return err
			}
			sum += n
		}
		fmt.Println("sum:", sum)
		return nil
	})
	for n := range 4 {
		adder.Send(context.Background(), n)
	}
	fmt.Println(g.Wait(), adder.State())
	// Output:
	// sum: 6
	// <nil> dead
}

// Poison reaches an actor that is busy, through its context.
func ExampleRef_Poison() {
	g := actor.NewGroup(context.Background())
	busy := actor.Spawn(g, "busy", 1, func(ctx context.Context, _ *mailbox.Mailbox[int]) error {
		<-ctx.Done() // its work
		return context.Cause(ctx)
	})
	busy.Poison(errors.New("connection lost"))
	<-busy.Done()
	fmt.Println(busy.Cause())
	fmt.Println(g.Wait()) // it did what it was told
	// Output:
	// connection lost
	// <nil>
}

// A reactor has a goroutine only while it has messages.
func ExampleReactor() {
	pool := actor.NewPool(100, time.Second, nil)
	log := actor.NewReactor(pool, 16, func(line string) { fmt.Println(line) })
	log.TrySend("one")
	log.TrySend("two")
	pool.Close()
	pool.Wait(context.Background())
	// Output:
	// one
	// two
}

type hello string

func (h hello) Run() { fmt.Println("hello", string(h)) }

func ExamplePool() {
	pool := actor.NewPool(100, time.Second, nil)
	pool.Submit(hello("pool"))
	pool.Close()
	pool.Wait(context.Background())
	fmt.Println(pool.Submit(hello("nobody")))
	// Output:
	// hello pool
	// actor: closed
}

// A call embeds its context; a handler that never waits for it pays nothing.
func ExampleContext() {
	type call struct {
		ctx actor.Context
		req []byte
	}
	c := &call{req: []byte("request")}
	c.ctx.Init(context.Background(), time.Now().Add(time.Minute))
	handler := func(ctx context.Context, req []byte) { fmt.Println(string(req), ctx.Err()) }
	handler(&c.ctx, c.req)
	c.ctx.Cancel(errors.New("caller went away"))
	fmt.Println(c.ctx.Err(), "because the", context.Cause(&c.ctx))
	// Output:
	// request <nil>
	// context canceled because the caller went away
}
