package actor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/mailbox"
)

// count is a task that marks itself as done.
type count struct{ wg *sync.WaitGroup }

func (c *count) Run() { c.wg.Done() }

// A poller submits bursts of short tasks and goes on when they are done; one
// operation is one task.
func BenchmarkSubmit(b *testing.B) {
	for _, burst := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			p := actor.NewPool(1000, time.Second, nil)
			var wg sync.WaitGroup
			t := &count{&wg}
			b.ReportAllocs()
			for n := 0; n < b.N; n += burst {
				wg.Add(burst)
				for range burst {
					p.Submit(t)
				}
				wg.Wait()
			}
			p.Close()
			p.Wait(context.Background())
		})
	}
}

// The same with a goroutine for each task, to compare.
func BenchmarkGoroutine(b *testing.B) {
	for _, burst := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			var wg sync.WaitGroup
			t := &count{&wg}
			b.ReportAllocs()
			for n := 0; n < b.N; n += burst {
				wg.Add(burst)
				for range burst {
					go t.Run() // waited for below
				}
				wg.Wait()
			}
		})
	}
}

func BenchmarkReactor(b *testing.B) {
	p := actor.NewPool(1000, time.Second, nil)
	var wg sync.WaitGroup
	r := actor.NewReactor(p, 64, func(int) { wg.Done() })
	b.ReportAllocs()
	for n := 0; n < b.N; n += 64 {
		wg.Add(64)
		for range 64 {
			r.TrySend(1)
		}
		wg.Wait()
	}
	p.Close()
	p.Wait(context.Background())
}

func BenchmarkSpawn(b *testing.B) {
	g := actor.NewGroup(context.Background())
	b.ReportAllocs()
	for b.Loop() {
		r := actor.Spawn(g, "it", 1, func(ctx context.Context, in *mailbox.Mailbox[int]) error {
			in.Get(ctx)
			return nil
		})
		r.TrySend(1)
		<-r.Done()
	}
	g.Wait()
}

func BenchmarkContext(b *testing.B) {
	base := context.WithValue(context.Background(), key{}, "peer")
	b.Run("done=never", func(b *testing.B) {
		b.ReportAllocs()
		deadline := time.Now().Add(time.Hour)
		for b.Loop() {
			var c actor.Context
			c.Init(base, deadline)
			c.Err()
			c.Finish()
		}
	})
	b.Run("done=asked", func(b *testing.B) {
		b.ReportAllocs()
		deadline := time.Now().Add(time.Hour)
		for b.Loop() {
			var c actor.Context
			c.Init(base, deadline)
			c.Done()
			c.Finish()
		}
	})
	b.Run("done=std", func(b *testing.B) { // what it replaces
		b.ReportAllocs()
		deadline := time.Now().Add(time.Hour)
		for b.Loop() {
			ctx, cancel := context.WithDeadline(base, deadline)
			ctx.Err()
			cancel()
		}
	})
}
