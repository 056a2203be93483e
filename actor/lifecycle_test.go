package actor

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestLifecycleOnlyMovesForward(t *testing.T) {
	states := []State{Idle, Running, Stopping, Dead}
	for _, from := range states {
		for _, to := range states {
			var l lifecycle
			l.to(from)
			if moved := l.to(to); moved != (to > from) || l.state() != max(from, to) {
				t.Errorf("%v to %v: moved %t, now %v", from, to, moved, l.state())
			}
		}
	}
}

func TestLifecycleTransitionHappensOnce(t *testing.T) {
	var l lifecycle
	var moved atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if l.to(Stopping) {
				moved.Add(1)
			}
		})
	}
	wg.Wait()
	if moved.Load() != 1 {
		t.Errorf("%d callers moved it", moved.Load())
	}
}

func TestStateNames(t *testing.T) {
	for s, want := range map[State]string{Idle: "idle", Running: "running", Stopping: "stopping", Dead: "dead", 9: "State(9)"} {
		if got := s.String(); got != want {
			t.Errorf("%d: %q", s, got)
		}
	}
}
