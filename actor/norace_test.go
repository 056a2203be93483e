//go:build !race

package actor_test

import (
	"context"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/actor"
)

func wantAllocs(t *testing.T, what string, want float64, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, f); n != want {
		t.Errorf("%s: %v allocations, want %v", what, n, want)
	}
}

// ping is a task that needs no allocation to be made one.
type ping chan struct{}

func (p ping) Run() { p <- struct{}{} }

func TestSubmitDoesNotAllocate(t *testing.T) {
	p := actor.NewPool(100, time.Minute, nil)
	done := make(ping)
	var each actor.Task = done
	wantAllocs(t, "Submit and Run", 0, func() {
		p.Submit(each)
		<-done
	})
	finish(t, p)
}

func TestReactorMessagesDoNotAllocate(t *testing.T) {
	p := actor.NewPool(100, time.Minute, nil)
	done := make(chan struct{})
	r := actor.NewReactor(p, 8, func([]byte) { done <- struct{}{} })
	m := make([]byte, 8)
	wantAllocs(t, "TrySend and receive", 0, func() {
		r.TrySend(m)
		<-done
	})
	finish(t, p)
}

// call is what a server makes for each call, with its context inside.
type call struct {
	ctx actor.Context
}

var kept *call // so that the call's one allocation is on the heap

func TestContextCostsNoAllocationUntilSomebodyWaits(t *testing.T) {
	base := context.WithValue(context.Background(), key{}, "peer")
	ending, cancel := context.WithCancel(base)
	defer cancel()
	deadline := time.Now().Add(time.Hour)
	for name, parent := range map[string]context.Context{"values": base, "values and an end": ending} {
		wantAllocs(t, name, 1, func() {
			kept = new(call)
			var ctx context.Context = &kept.ctx
			kept.ctx.Init(parent, deadline)
			if ctx.Err() != nil || ctx.Value(key{}) != "peer" {
				t.Error("it does not work")
			}
			ctx.Deadline()
			kept.ctx.Cancel(errTest)
			kept.ctx.Cause()
			kept.ctx.Finish()
		})
	}
}
