package actor_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/mailbox"
)

// receiveAll is a body that takes messages until the end.
func receiveAll(ctx context.Context, in *mailbox.Mailbox[int]) error {
	for {
		if _, err := in.Get(ctx); err != nil {
			return err
		}
	}
}

func wantState[M any](t *testing.T, r *actor.Ref[M], want actor.State) {
	t.Helper()
	if got := r.State(); got != want {
		t.Errorf("state %v, want %v", got, want)
	}
}

func TestActorHandlesItsMessagesInOrder(t *testing.T) {
	g := actor.NewGroup(context.Background())
	var got []int
	r := actor.Spawn(g, "adder", 2, func(ctx context.Context, in *mailbox.Mailbox[int]) error {
		for range 100 {
			m, err := in.Get(ctx)
			if err != nil {
				return err
			}
			got = append(got, m)
		}
		return nil
	})
	for i := range 100 {
		if err := r.Send(context.Background(), i); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "Wait", g.Wait(), nil)
	<-r.Done()
	for i, m := range got {
		if m != i {
			t.Fatalf("message %d is %d", i, m)
		}
	}
	wantState(t, r, actor.Dead)
	wantErr(t, "Cause", r.Cause(), mailbox.ErrClosed)
	wantErr(t, "TrySend", r.TrySend(1), mailbox.ErrClosed)
}

func TestActorMailboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := actor.NewGroup(t.Context())
		r := actor.Spawn(g, "busy", 2, func(ctx context.Context, _ *mailbox.Mailbox[int]) error { return untilEnd(ctx) })
		wantErr(t, "first", r.TrySend(1), nil)
		wantErr(t, "second", r.TrySend(2), nil)
		wantErr(t, "third", r.TrySend(3), mailbox.ErrFull)
		r.Poison(nil)
		wantErr(t, "Wait", g.Wait(), nil)
	})
}

// Poison reaches an actor that receives as well as one that is busy, with a full
// mailbox, and senders that wait for room.
func TestPoisonReachesAnActorWhateverItDoes(t *testing.T) {
	bodies := map[string]func(ctx context.Context, in *mailbox.Mailbox[int]) error{
		"receives":               receiveAll,
		"busy, returns its Err":  func(ctx context.Context, _ *mailbox.Mailbox[int]) error { return untilEnd(ctx) },
		"busy, returns no error": func(ctx context.Context, _ *mailbox.Mailbox[int]) error { <-ctx.Done(); return nil },
		"busy, looks at the box": func(ctx context.Context, in *mailbox.Mailbox[int]) error { <-in.Done(); return in.Cause() },
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := actor.NewGroup(t.Context())
				r := actor.Spawn(g, "it", 1, body)
				wantState(t, r, actor.Running)
				wantErr(t, "Cause before", r.Cause(), nil)
				sent := make(chan error, 1)
				go func() { // waits for room if the actor is busy, for its end if not
					var err error
					for i := 0; i < 3 && err == nil; i++ {
						err = r.Send(context.Background(), i)
					}
					if err == nil {
						<-r.Done()
						err = r.TrySend(9)
					}
					sent <- err
				}()
				synctest.Wait()
				r.Poison(errTest)
				r.Poison(errors.New("second"))
				wantErr(t, "the sender", <-sent, errTest)
				<-r.Done()
				wantState(t, r, actor.Dead)
				wantErr(t, "Cause", r.Cause(), errTest)
				wantErr(t, "Wait", g.Wait(), nil) // it did what it was told: no failure
			})
		})
	}
}

func TestActorIsStoppingUntilItsBodyReturns(t *testing.T) {
	g := actor.NewGroup(context.Background())
	gate := make(chan struct{})
	r := actor.Spawn(g, "slow", 1, func(context.Context, *mailbox.Mailbox[int]) error { <-gate; return nil })
	r.Poison(errTest)
	wantState(t, r, actor.Stopping)
	select {
	case <-r.Done():
		t.Error("Done before the body returned")
	default:
	}
	close(gate)
	<-r.Done()
	wantState(t, r, actor.Dead)
	wantErr(t, "Wait", g.Wait(), nil)
}

func TestActorErrorEndsTheGroupAndItsOtherActors(t *testing.T) {
	fails := map[string]func() error{
		"error":  func() error { return errTest },
		"panic":  func() error { panic(errTest) },
		"goexit": func() error { runtime.Goexit(); return nil },
	}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			g := actor.NewGroup(context.Background())
			other := actor.Spawn(g, "other", 1, receiveAll)
			r := actor.Spawn(g, "culprit", 1, func(ctx context.Context, in *mailbox.Mailbox[int]) error {
				in.Get(ctx)
				return fail()
			})
			r.TrySend(1)
			err := g.Wait()
			want := errTest
			if name == "goexit" {
				want = actor.ErrGoexit
			}
			if !errors.Is(err, want) || !errors.Is(r.Cause(), want) {
				t.Errorf("Wait: %v; Cause: %v", err, r.Cause())
			}
			<-r.Done()
			<-other.Done()
			wantErr(t, "the other's cause", other.Cause(), err)
		})
	}
}

// Failing after the poison is still failing, if it is by another error or a panic.
func TestPoisonedActorMayStillFail(t *testing.T) {
	another := errors.New("another")
	for name, body := range map[string]func() error{
		"error": func() error { return another },
		"panic": func() error { panic(errTest) },
	} {
		g := actor.NewGroup(context.Background())
		r := actor.Spawn(g, "it", 1, func(ctx context.Context, _ *mailbox.Mailbox[int]) error { <-ctx.Done(); return body() })
		r.Poison(errTest)
		if g.Wait() == nil {
			t.Errorf("%s: Wait gave no error", name)
		}
	}
}

func TestActorDropsWhatItHasLeft(t *testing.T) {
	g := actor.NewGroup(context.Background())
	gate := make(chan struct{})
	var box *mailbox.Mailbox[int]
	r := actor.Spawn(g, "leaver", 3, func(_ context.Context, in *mailbox.Mailbox[int]) error { box = in; <-gate; return nil })
	r.TrySend(1)
	r.TrySend(2)
	close(gate)
	<-r.Done()
	if s := box.Stats(); s.Dropped != 2 || box.Len() != 0 {
		t.Errorf("Stats %+v, Len %d", s, box.Len())
	}
	g.Wait()
}

func TestSendersRaceWithTheEndOfTheirActor(t *testing.T) {
	for range 100 {
		g := actor.NewGroup(context.Background())
		var handled, sent atomic.Int64
		r := actor.Spawn(g, "it", 4, func(ctx context.Context, in *mailbox.Mailbox[int]) error {
			for {
				if _, err := in.Get(ctx); err != nil {
					return err
				}
				handled.Add(1)
			}
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for r.Send(context.Background(), 1) == nil {
					if sent.Add(1) == 100 {
						g.Poison(errTest)
					}
				}
			})
		}
		wg.Wait()
		wantErr(t, "Wait", g.Wait(), errTest)
		<-r.Done()
		wantErr(t, "Cause", r.Cause(), errTest)
		if handled.Load() > sent.Load() {
			t.Fatalf("%d handled, %d sent", handled.Load(), sent.Load())
		}
	}
}
