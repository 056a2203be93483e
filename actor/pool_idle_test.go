package actor_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/actor"
)

// occupy makes n workers run at once, until release.
func occupy(t *testing.T, p *actor.Pool, n int) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	var running atomic.Int32
	for range n {
		submit(t, p, func() { running.Add(1); <-gate })
	}
	synctest.Wait()
	if running.Load() != int32(n) {
		t.Fatalf("%d of %d tasks run", running.Load(), n)
	}
	return func() { close(gate); synctest.Wait() }
}

func TestPoolWorkersLeaveWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle = time.Minute
		p := actor.NewPool(100, idle, nil)
		occupy(t, p, 50)()
		if n := actor.Workers(p); n != 50 {
			t.Fatalf("%d workers", n)
		}
		time.Sleep(idle - 1)
		synctest.Wait()
		if n := actor.Workers(p); n != 50 {
			t.Errorf("%d workers before the idle time", n)
		}
		time.Sleep(idle + 1)
		synctest.Wait()
		if n := actor.Workers(p); n != 0 {
			t.Errorf("%d workers after twice the idle time", n)
		}
		occupy(t, p, 2)() // and it starts again
		finish(t, p)
	})
}

func TestPoolWorkersNeverLeaveBeforeTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle = time.Minute
		p := actor.NewPool(100, idle, nil)
		occupy(t, p, 1)() // the reaper's ticks begin
		time.Sleep(idle - 1)
		occupy(t, p, 3)() // a moment before the first
		time.Sleep(idle - 1)
		synctest.Wait()
		if n := actor.Workers(p); n != 3 {
			t.Errorf("%d workers, want 3", n)
		}
		finish(t, p)
	})
}

// The stack of idle workers is LIFO: those at the bottom are not needed and leave,
// while work goes on.
func TestPoolShrinksToWhatItsWorkNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle = time.Minute
		p := actor.NewPool(100, idle, nil)
		occupy(t, p, 50)()
		for range 100 {
			time.Sleep(idle / 10)
			occupy(t, p, 1)()
		}
		if n := actor.Workers(p); n != 1 {
			t.Errorf("%d workers for one task at a time", n)
		}
		finish(t, p)
	})
}

func TestPoolCloseDoesNotWaitForIdleWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(100, time.Hour, nil)
		occupy(t, p, 10)()
		start := time.Now()
		finish(t, p)
		if d := time.Since(start); d != 0 {
			t.Errorf("took %v", d)
		}
	})
}

func TestPoolWithoutIdleTimeKeepsNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(100, 0, nil)
		occupy(t, p, 10)()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := actor.Workers(p); n != 0 {
			t.Errorf("%d workers", n)
		}
		finish(t, p)
	})
}

// Close, Submit and the reaper's ticks race; nothing may hang, get lost or run twice.
func TestPoolSubmitRacesWithCloseAndReaper(t *testing.T) {
	for range 200 {
		p := actor.NewPool(1<<20, 20*time.Microsecond, nil)
		var accepted, ran atomic.Int32
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for p.Submit(task(func() { ran.Add(1) })) == nil {
					if accepted.Add(1) == 100 {
						p.Close()
					}
				}
			})
		}
		wg.Wait()
		finish(t, p)
		if accepted.Load() != ran.Load() {
			t.Fatalf("%d accepted, %d ran", accepted.Load(), ran.Load())
		}
	}
}
