package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/actor"
)

type (
	key   struct{}
	other struct{}
)

func newContext(parent context.Context, timeout time.Duration) *actor.Context {
	c := new(actor.Context)
	var deadline time.Time
	if timeout != 0 {
		deadline = time.Now().Add(timeout)
	}
	c.Init(parent, deadline)
	return c
}

func isDone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// looks are the moments at which a context may get its channel: the end must look the
// same from all.
var looks = map[string]func(*actor.Context){
	"never asked": func(*actor.Context) {},
	"asked":       func(c *actor.Context) { c.Done() },
	"derived":     func(c *actor.Context) { context.AfterFunc(c, func() {}) },
}

// pass lets the bubble's clock go on, and the timers that were due do their work.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wantEnd checks everything that can be seen of an ended context.
func wantEnd(t *testing.T, c *actor.Context, err, cause error) {
	t.Helper()
	wantErr(t, "Err", c.Err(), err)
	wantErr(t, "Cause", c.Cause(), cause)
	wantErr(t, "context.Cause", context.Cause(c), cause)
	derived, cancel := context.WithCancel(c)
	defer cancel()
	wantErr(t, "derived Err", derived.Err(), err)
	wantErr(t, "derived Cause", context.Cause(derived), cause)
	deeper := context.WithValue(derived, key{}, "deeper")
	wantErr(t, "derived twice", context.Cause(deeper), cause)
	if !isDone(c) || !isDone(derived) {
		t.Error("not Done")
	}
	wantErr(t, "Err after Done", c.Err(), err)
	wantErr(t, "Cause after Done", c.Cause(), cause)
}

func TestContextEndsForEveryReasonInEveryForm(t *testing.T) {
	const timeout = time.Second
	ends := []struct {
		name       string
		end        func(c *actor.Context, cancelParent context.CancelCauseFunc)
		err, cause error
	}{
		{"cancel", func(c *actor.Context, _ context.CancelCauseFunc) { c.Cancel(errTest) }, context.Canceled, errTest},
		{"cancel without cause", func(c *actor.Context, _ context.CancelCauseFunc) { c.Cancel(nil) }, context.Canceled, context.Canceled},
		{"finish", func(c *actor.Context, _ context.CancelCauseFunc) { c.Finish() }, context.Canceled, context.Canceled},
		{"deadline", func(*actor.Context, context.CancelCauseFunc) { pass(timeout) }, context.DeadlineExceeded, context.DeadlineExceeded},
		{"parent", func(_ *actor.Context, cancel context.CancelCauseFunc) { cancel(errTest) }, context.Canceled, errTest},
		{"parent after cancel", func(c *actor.Context, cancel context.CancelCauseFunc) { c.Cancel(errTest); cancel(nil) }, context.Canceled, errTest},
		{"cancel after parent", func(c *actor.Context, cancel context.CancelCauseFunc) { cancel(errTest); c.Cancel(nil) }, context.Canceled, errTest},
		{"deadline after cancel", func(c *actor.Context, _ context.CancelCauseFunc) { c.Cancel(errTest); pass(timeout) }, context.Canceled, errTest},
		{"cancel after deadline", func(c *actor.Context, _ context.CancelCauseFunc) { pass(timeout); c.Cancel(errTest) }, context.DeadlineExceeded, context.DeadlineExceeded},
		{"parent after deadline", func(c *actor.Context, cancel context.CancelCauseFunc) { pass(timeout); c.Err(); cancel(errTest) }, context.DeadlineExceeded, context.DeadlineExceeded},
	}
	for _, e := range ends {
		for how, look := range looks {
			t.Run(e.name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					c := newContext(parent, timeout)
					look(c)
					if c.Err() != nil || c.Cause() != nil || context.Cause(c) != nil {
						t.Fatalf("ended before its time: %v", c.Cause())
					}
					e.end(c, cancel)
					synctest.Wait()
					wantEnd(t, c, e.err, e.cause)
					c.Finish()
					wantEnd(t, c, e.err, e.cause)
				})
			})
		}
	}
}

func TestContextWithEarlierEndOfItsParentDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		for _, timeout := range []time.Duration{0, time.Minute} {
			c := newContext(parent, timeout)
			want, _ := parent.Deadline()
			if d, ok := c.Deadline(); !ok || !d.Equal(want) {
				t.Errorf("Deadline() = %v, %t", d, ok)
			}
		}
		c := newContext(parent, time.Minute)
		time.Sleep(time.Second)
		synctest.Wait()
		wantEnd(t, c, context.DeadlineExceeded, errTest)
	})
}

func TestContextHasItsParentsValues(t *testing.T) {
	for how, look := range looks {
		c := newContext(context.WithValue(context.Background(), key{}, "v"), 0)
		look(c)
		derived := context.WithValue(c, other{}, "one")
		if c.Value(key{}) != "v" || derived.Value(key{}) != "v" || c.Value(other{}) != nil {
			t.Errorf("%s: %v", how, c.Value(key{}))
		}
		if _, ok := c.Deadline(); ok {
			t.Errorf("%s: a deadline from nowhere", how)
		}
		c.Finish()
	}
}

func TestContextCancelReachesDerivedContextsAndCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContext(context.Background(), time.Minute)
		derived, cancel := context.WithTimeout(c, time.Hour)
		defer cancel()
		called := make(chan error, 1)
		context.AfterFunc(derived, func() { called <- context.Cause(derived) })
		stop := context.AfterFunc(c, func() { t.Error("a stopped AfterFunc ran") })
		if !stop() {
			t.Error("stop came too late")
		}
		c.Cancel(errTest)
		<-c.Done()
		wantErr(t, "AfterFunc", <-called, errTest)
	})
}

// The context package starts a goroutine for each context that it derives from one
// whose records it cannot find.
func TestContextDerivedContextsNeedNoGoroutine(t *testing.T) {
	c := newContext(context.Background(), time.Minute)
	before := runtime.NumGoroutine()
	for range 100 {
		_, cancel := context.WithCancel(c)
		defer cancel()
	}
	if n := runtime.NumGoroutine() - before; n > 50 {
		t.Errorf("%d goroutines", n)
	}
	c.Finish()
}

func TestContextAfterFuncIsCalledAtTheEndUnlessStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContext(context.Background(), time.Second)
		calls := make([]int, 6)
		var stops []func() bool
		for i := range 5 {
			stops = append(stops, c.AfterFunc(func() { calls[i]++ }))
		}
		for _, i := range []int{2, 1, 4} { // within the list, beside it, and at an end
			if !stops[i]() || stops[i]() {
				t.Errorf("stop %d does not know whether it was first", i)
			}
		}
		pass(time.Second)
		if stops[0]() {
			t.Error("stop after the end")
		}
		late := c.AfterFunc(func() { calls[5]++ })
		synctest.Wait()
		if late() || !slices.Equal(calls, []int{1, 0, 0, 1, 0, 1}) {
			t.Errorf("calls %v", calls)
		}
	})
}

func TestContextReachesContextsDerivedFromWrappedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContext(context.Background(), time.Second)
		derived, cancel := context.WithTimeout(context.WithValue(c, key{}, "wrapped"), time.Hour)
		defer cancel()
		pass(time.Second)
		wantErr(t, "Err", derived.Err(), context.DeadlineExceeded)
		wantErr(t, "Cause", context.Cause(derived), context.DeadlineExceeded)
	})
}

// One Context may be the parent of another: neither may hold its lock when it asks
// the other.
func TestContextsNest(t *testing.T) {
	for range 200 {
		outer := newContext(context.Background(), time.Hour)
		inner := newContext(outer, 2*time.Hour)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { <-inner.Done() })
			wg.Go(func() { context.AfterFunc(inner, func() {}); inner.Err(); outer.Done() })
		}
		wg.Go(func() { outer.Cancel(errTest) })
		wg.Wait()
		wantEnd(t, inner, context.Canceled, errTest)
	}
}

// A materialised context holds a timer until Finish; the bubble's clock would show it
// by letting it fire.
func TestContextFinishReleasesTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContext(context.Background(), time.Second)
		<-newContext(c, time.Millisecond).Done() // nests
		c.Finish()
		time.Sleep(time.Minute)
		wantEnd(t, c, context.Canceled, context.Canceled)
	})
}

func TestContextIsSafeForConcurrentUse(t *testing.T) {
	for round := range 300 {
		parent, cancel := context.WithCancelCause(context.Background())
		c := newContext(parent, time.Duration(round%3)*50*time.Microsecond)
		causes := make(chan error, 64)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() { <-c.Done(); causes <- c.Cause(); causes <- context.Cause(c) })
			wg.Go(func() {
				derived, stop := context.WithCancel(c)
				defer stop()
				<-derived.Done()
				causes <- context.Cause(derived)
			})
			wg.Go(func() { c.Err(); c.Value(key{}); c.Cancel(fmt.Errorf("cause %d", i)) })
		}
		wg.Go(func() { cancel(errTest) })
		wg.Wait()
		close(causes)
		first := c.Cause()
		for cause := range causes {
			if cause == nil || !errors.Is(cause, first) {
				t.Fatalf("one saw %v, another %v", first, cause)
			}
		}
	}
}
