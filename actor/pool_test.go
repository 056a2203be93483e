package actor_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/actor"
)

// task is a function as a Task.
type task func()

func (f task) Run() { f() }

func submit(t *testing.T, p *actor.Pool, f func()) {
	t.Helper()
	if err := p.Submit(task(f)); err != nil {
		t.Fatalf("Submit: %v", err)
	}
}

// finish closes p and waits for its workers.
func finish(t *testing.T, p *actor.Pool) {
	t.Helper()
	p.Close()
	if err := p.Wait(context.Background()); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

// goroutine returns the header of the caller's stack, which names its goroutine.
func goroutine() string {
	b := make([]byte, 64)
	id, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), " [")
	return id
}

func TestPoolRunsEachTaskOnce(t *testing.T) {
	const submitters, each = 8, 1000
	p := actor.NewPool(submitters*each, time.Second, nil)
	var runs [submitters * each]atomic.Int32
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for i := range each {
				submit(t, p, func() { runs[s*each+i].Add(1) })
			}
		})
	}
	wg.Wait()
	finish(t, p)
	for i := range runs {
		if n := runs[i].Load(); n != 1 {
			t.Fatalf("task %d ran %d times", i, n)
		}
	}
}

func TestPoolCountsQueuedAndRunningTasksAgainstItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(3, time.Second, nil)
		release := make(chan struct{})
		for range 3 {
			submit(t, p, func() { <-release })
		}
		wantErr(t, "all queued", p.Submit(task(func() {})), actor.ErrFull)
		synctest.Wait()
		wantErr(t, "all running", p.Submit(task(func() {})), actor.ErrFull)
		release <- struct{}{}
		synctest.Wait()
		submit(t, p, func() {})
		close(release)
		finish(t, p)
		wantErr(t, "after Close", p.Submit(task(func() {})), actor.ErrClosed)
	})
}

// Tasks that block hold up nobody: all of them come to run, without the clock moving.
func TestPoolBlockedTasksDelayNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		p := actor.NewPool(2*n, time.Hour, nil)
		start := time.Now()
		release := make(chan struct{})
		var blocked, quick atomic.Int32
		for range n {
			submit(t, p, func() { blocked.Add(1); <-release })
			submit(t, p, func() { quick.Add(1) })
		}
		synctest.Wait()
		if blocked.Load() != n || quick.Load() != n || time.Since(start) != 0 {
			t.Errorf("%d blocked and %d quick of %d run after %v", blocked.Load(), quick.Load(), n, time.Since(start))
		}
		close(release)
		finish(t, p)
	})
}

// Tasks that wait for each other, in chains that start in any order, all need a worker
// of their own at once.
func TestPoolRunsTasksThatDependOnLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 50
		p := actor.NewPool(n, time.Second, nil)
		var links [n + 1]chan struct{}
		for i := range links {
			links[i] = make(chan struct{})
		}
		for i := range n {
			submit(t, p, func() { <-links[i+1]; close(links[i]) })
		}
		close(links[n])
		<-links[0]
		finish(t, p)
	})
}

// One burst of short tasks from one goroutine, as a poller makes it, is mostly the
// work of one worker. With one processor that is exact but for preemption.
func TestPoolRunsABurstOfShortTasksOnFewWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := actor.NewPool(1000, time.Minute, nil)
	const bursts, size = 20, 64
	var mu sync.Mutex
	var workers []int
	for range bursts {
		var wg sync.WaitGroup
		by := map[string]int{}
		for range size {
			wg.Add(1)
			submit(t, p, func() {
				mu.Lock()
				by[goroutine()]++
				mu.Unlock()
				wg.Done()
			})
		}
		wg.Wait()
		workers = append(workers, len(by))
	}
	slices.Sort(workers)
	if workers[bursts/2] > 2 { // mostly it is one; the busier the machine, the more preemptions
		t.Errorf("bursts of %d tasks took %v workers", size, workers)
	}
	t.Logf("bursts of %d tasks took %v workers", size, workers)
	finish(t, p)
}

func TestPoolReusesTheWorkerThatFinishedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(10, time.Hour, nil)
		gates := [3]chan string{}
		for i := range gates { // three workers at once
			gates[i] = make(chan string)
			submit(t, p, func() { gates[i] <- goroutine() })
			synctest.Wait()
		}
		var last string
		for _, i := range []int{2, 0, 1} {
			last = <-gates[i]
			synctest.Wait()
		}
		for range 5 {
			again := make(chan string)
			submit(t, p, func() { again <- goroutine() })
			if got := <-again; got != last {
				t.Errorf("ran on %s, want %s", got, last)
			}
			synctest.Wait()
		}
		finish(t, p)
	})
}

func TestPoolCloseRunsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(100, time.Second, nil)
		var ran atomic.Int32
		for range 50 {
			submit(t, p, func() { ran.Add(1) })
		}
		p.Close()
		p.Close()
		if err := p.Wait(t.Context()); err != nil || ran.Load() != 50 {
			t.Errorf("Wait: %v; %d tasks of 50 ran", err, ran.Load())
		}
	})
}

func TestPoolWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(1, time.Second, nil)
		release := make(chan struct{})
		submit(t, p, func() { <-release })
		p.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errTest)
		wantErr(t, "a task runs", p.Wait(ctx), errTest)
		close(release)
		wantErr(t, "all gone", p.Wait(t.Context()), nil)
		wantErr(t, "all gone, context ended", p.Wait(ctx), nil)
	})
}

func TestPoolSurvivesPanics(t *testing.T) {
	var mu sync.Mutex
	var told []string
	p := actor.NewPool(100, time.Second, func(v any, stack []byte) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprint(v))
		if !strings.Contains(string(stack), "TestPoolSurvivesPanics") {
			t.Errorf("the stack does not show where: %s", stack)
		}
	})
	var ran atomic.Int32
	for i := range 30 {
		submit(t, p, func() {
			if i%3 == 0 {
				panic("boom")
			}
			ran.Add(1)
		})
	}
	finish(t, p)
	if ran.Load() != 20 || len(told) != 10 || told[0] != "boom" {
		t.Errorf("%d tasks ran, told of %v", ran.Load(), told)
	}
}

// A failing test's FailNow in a handler must not hang the test.
func TestPoolSurvivesGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := actor.NewPool(2, time.Second, nil)
		for range 10 {
			submit(t, p, runtime.Goexit)
			submit(t, p, func() {})
			synctest.Wait()
		}
		finish(t, p)
	})
}
