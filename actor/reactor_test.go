package actor_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/mailbox"
)

func quiet(any, []byte) {}

func TestReactorHandlesEachSendersMessagesInOrderOneAtATime(t *testing.T) {
	const senders, each = 8, 2000
	p := actor.NewPool(10, time.Second, nil)
	var next [senders]int // receive is the only one to touch it: the race detector agrees
	var inside, handled atomic.Int32
	r := actor.NewReactor(p, 16, func(m [2]int) {
		if inside.Add(1) != 1 {
			t.Error("two at a time")
		}
		if next[m[0]] != m[1] {
			t.Errorf("sender %d: message %d, want %d", m[0], m[1], next[m[0]])
		}
		next[m[0]]++
		inside.Add(-1)
		handled.Add(1)
	})
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				for r.TrySend([2]int{s, i}) == mailbox.ErrFull {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	finish(t, p) // what was accepted is handled
	if n := handled.Load(); n != senders*each {
		t.Errorf("%d handled", n)
	}
}

func TestReactorNeedsNoGoroutineWhileIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(10, 0, nil)
		n := 0
		r := actor.NewReactor(p, 1, func(int) { n++ })
		for range 5 {
			wantErr(t, "TrySend", r.TrySend(1), nil)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if w := actor.Workers(p); w != 0 {
				t.Errorf("%d workers", w)
			}
		}
		finish(t, p)
		if n != 5 {
			t.Errorf("%d handled", n)
		}
	})
}

func TestReactorMailboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(10, time.Second, nil)
		gate := make(chan struct{})
		r := actor.NewReactor(p, 2, func(int) { <-gate })
		r.TrySend(0)
		synctest.Wait() // in receive, its slot is free
		wantErr(t, "first", r.TrySend(1), nil)
		wantErr(t, "second", r.TrySend(2), nil)
		wantErr(t, "third", r.TrySend(3), mailbox.ErrFull)
		if r.Len() != 2 {
			t.Errorf("Len() = %d", r.Len())
		}
		close(gate)
		finish(t, p)
	})
}

// A message that is accepted is handled: a full pool cannot refuse an actor.
func TestReactorRunsThoughThePoolIsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(1, time.Second, nil)
		gate, handled := make(chan struct{}), make(chan int, 1)
		submit(t, p, func() { <-gate })
		r := actor.NewReactor(p, 1, func(m int) { handled <- m })
		wantErr(t, "TrySend", r.TrySend(7), nil)
		if m := <-handled; m != 7 {
			t.Errorf("handled %d", m)
		}
		close(gate)
		finish(t, p)
	})
}

func TestReactorThatIsNeverIdleHoldsUpNobody(t *testing.T) {
	p := actor.NewPool(10, time.Second, nil)
	var r *actor.Reactor[int]
	var stop atomic.Bool
	r = actor.NewReactor(p, 2, func(int) {
		if !stop.Load() {
			r.TrySend(0) // for ever
		}
	})
	r.TrySend(0)
	submit(t, p, func() { stop.Store(true) })
	finish(t, p)
}

func TestReactorPoisonOvertakesAndDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(10, time.Second, nil)
		gate := make(chan struct{})
		var handled atomic.Int32
		r := actor.NewReactor(p, 10, func(int) { handled.Add(1); <-gate })
		for i := range 5 {
			r.TrySend(i)
		}
		synctest.Wait()
		wantErr(t, "Cause before", r.Cause(), nil)
		r.Poison(errTest)
		r.Poison(errors.New("second"))
		<-r.Done()
		wantErr(t, "Cause", r.Cause(), errTest)
		wantErr(t, "TrySend", r.TrySend(9), errTest)
		close(gate)
		finish(t, p)
		if n := handled.Load(); n != 1 || r.Len() != 0 {
			t.Errorf("%d handled, %d left", n, r.Len())
		}
	})
}

func TestReactorDiesOfItsPanic(t *testing.T) {
	fails := map[string]func(){"panic": func() { panic(errTest) }, "goexit": runtime.Goexit}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			told := make(chan any, 1)
			p := actor.NewPool(10, time.Second, func(v any, _ []byte) { told <- v })
			r := actor.NewReactor(p, 10, func(int) { fail() })
			r.TrySend(1)
			<-r.Done()
			if name == "goexit" {
				wantErr(t, "Cause", r.Cause(), actor.ErrGoexit)
			} else if v := <-told; v != errTest || !errors.Is(r.Cause(), errTest) {
				t.Errorf("the pool was told of %v, Cause %v", v, r.Cause())
			}
			if r.TrySend(2) == nil {
				t.Error("a dead reactor takes messages")
			}
			finish(t, p)
		})
	}
}

func TestReactorEndsWithItsPool(t *testing.T) {
	p := actor.NewPool(10, time.Second, nil)
	r := actor.NewReactor(p, 10, func(int) { t.Error("handled") })
	finish(t, p)
	wantErr(t, "TrySend", r.TrySend(1), actor.ErrClosed)
	<-r.Done()
	wantErr(t, "Cause", r.Cause(), actor.ErrClosed)
	wantErr(t, "TrySend again", r.TrySend(1), actor.ErrClosed)
}

func TestReactorFinishesItsWorkWhileThePoolCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(10, time.Second, nil)
		gate := make(chan struct{})
		n := 0
		r := actor.NewReactor(p, 10, func(int) { <-gate; n++ })
		for i := range 5 {
			r.TrySend(i)
		}
		synctest.Wait()
		p.Close()
		wantErr(t, "TrySend to one at work", r.TrySend(5), nil)
		close(gate)
		p.Wait(t.Context())
		if n != 6 {
			t.Errorf("%d handled", n)
		}
	})
}

// Refused is not handled; accepted is handled, but for what poison drops, which is also
// the end of the few messages that meet that of the pool.
func TestReactorsRaceWithPoisonAndClose(t *testing.T) {
	for round := range 100 {
		p := actor.NewPool(100, 20*time.Microsecond, quiet)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				var accepted, handled atomic.Int64
				r := actor.NewReactor(p, 4, func(int) { handled.Add(1) })
				for n := range 200 {
					if r.TrySend(n) == nil {
						accepted.Add(1)
					}
				}
				if i%2 == 0 {
					r.Poison(errTest)
				}
				wg.Go(func() {
					p.Wait(context.Background())
					if a, h := accepted.Load(), handled.Load(); h > a || h < a && r.Cause() == nil {
						t.Errorf("%d accepted, %d handled, Cause %v", a, h, r.Cause())
					}
				})
			})
		}
		if round%2 == 0 {
			p.Close()
		}
		for n := range 100 { // others of the pool
			p.Submit(task(func() { _ = n }))
		}
		if round%2 == 1 {
			wg.Go(p.Close)
		}
		wg.Wait()
		finish(t, p)
	}
}

// A message that comes just when the reactor goes idle is not forgotten. The sender
// spins, so as to hit that moment from both sides.
func TestReactorLosesNoActivation(t *testing.T) {
	const patience = 10 * time.Second
	p := actor.NewPool(10, time.Second, nil)
	var handled atomic.Int64
	r := actor.NewReactor(p, 1, func(int) { handled.Add(1) })
	var since time.Time // of waiting for a message that does not come at once
	for i := range int64(100_000) {
		for spin := range i % 64 {
			_ = spin
		}
		wantErr(t, "TrySend", r.TrySend(0), nil)
		for spin := 1; handled.Load() == i; spin++ {
			if spin%100 == 0 {
				runtime.Gosched()
				if spin == 100 {
					since = time.Now()
				}
				if time.Since(since) > patience {
					t.Fatalf("message %d was forgotten", i)
				}
			}
		}
	}
	finish(t, p)
}
