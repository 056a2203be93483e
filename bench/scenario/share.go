package scenario

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/actorgrid/actorgrid/bench/hist"
)

// grace is how long callers may take to end after they were told to, before their
// calls are cancelled and count as errors.
const grace = 20 * time.Second

// Budget says how much a pass does: For a time, or a number of Ops.
type Budget struct {
	time time.Duration
	ops  int64
}

// For is a budget of time.
func For(d time.Duration) Budget { return Budget{time: d} }

// Ops is a budget of n operations, of all callers together.
func Ops(n int) Budget { return Budget{ops: int64(n)} }

// share is what one process does in a pass. Its callers are open and wait for begin.
type share struct {
	budget  Budget
	begin   chan struct{}
	stop    atomic.Bool
	left    atomic.Int64 // of budget.ops
	callers sync.WaitGroup
	records []record
	cancel  context.CancelCauseFunc
}

// record is what one caller has seen; its own until it has ended.
type record struct {
	hist hist.Histogram
	err  error
}

// tally is the sum of the records of a process, and what it cost.
type tally struct {
	Ops        uint64          `json:"ops"`
	Errors     uint64          `json:"errors"`
	Err        string          `json:"err,omitempty"` // the first
	Elapsed    time.Duration   `json:"elapsed"`
	Allocs     uint64          `json:"allocs"`
	Goroutines int             `json:"goroutines"` // when the time was over
	Hist       *hist.Histogram `json:"hist"`
}

var errStuck = fmt.Errorf("bench: not ended %v after the time was over", grace)

// openShare opens the callers of the nodes in this process and starts their
// goroutines, which wait for run. Someone must call run or abandon.
func openShare(ctx context.Context, nodes []*node, s Scenario, cfg Config, callers int, b Budget) (*share, error) {
	sh := &share{budget: b, begin: make(chan struct{})}
	sh.left.Store(b.ops)
	// A Ctrl-C stops the callers between two calls. It must not end the calls.
	ctx, sh.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, n := range nodes {
		if s.runsOn(n.index) {
			sh.records = append(sh.records, make([]record, callers)...)
		}
	}
	next := 0
	for _, n := range nodes {
		if !s.runsOn(n.index) {
			continue
		}
		for i := range callers {
			open := func(ctx context.Context) (caller, error) { return s.open(ctx, n, i, cfg) }
			if err := sh.start(ctx, &sh.records[next], open); err != nil {
				sh.abandon()
				return nil, fmt.Errorf("%s: node %d: %w", s.Name, n.index, err)
			}
			next++
		}
	}
	runtime.GC() // what came before is not this pass's to collect
	return sh, nil
}

// start opens one caller and starts its goroutine. It has a context of its own, as the calls of a server
// have: one for all would make them meet at its lock.
func (sh *share) start(ctx context.Context, r *record, open func(context.Context) (caller, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	c, err := open(ctx)
	if err != nil {
		cancel()
		return err
	}
	sh.callers.Go(func() { // ends with the budget, or with the context; run and abandon wait
		defer cancel()
		<-sh.begin
		r.err = sh.call(ctx, c, &r.hist)
	})
	return nil
}

// call is a caller's loop. A caller ends with its first error. In a time it has one turn
// at least, though the machine may have paused until it was over.
func (sh *share) call(ctx context.Context, c caller, h *hist.Histogram) error {
	last := time.Now()
	for first := sh.budget.ops == 0; sh.take() || first; first = false {
		if err := c.step(ctx); err != nil {
			return err
		}
		now := time.Now()
		h.Record(now.Sub(last))
		last = now
	}
	return c.finish(ctx)
}

// take asks for one more operation.
func (sh *share) take() bool {
	if sh.stop.Load() {
		return false
	}
	return sh.budget.ops == 0 || sh.left.Add(-1) >= 0
}

// run lets the callers go and returns when all have ended: when the budget is used
// up, or soon after ctx has ended.
func (sh *share) run(ctx context.Context) tally {
	defer sh.cancel(nil)
	allocated := mallocs()
	ended := make(chan struct{})
	start := time.Now()
	close(sh.begin)
	go func() { // ends with the callers, for whom run waits
		sh.callers.Wait()
		close(ended)
	}()
	goroutines := sh.waitBudget(ctx, ended)
	stuck := time.AfterFunc(grace, func() { sh.cancel(errStuck) })
	<-ended
	elapsed := time.Since(start)
	stuck.Stop()
	t := tally{Elapsed: elapsed, Allocs: mallocs() - allocated, Goroutines: goroutines}
	sh.sum(&t)
	return t
}

// waitBudget tells the callers to end, and returns how many goroutines there were.
func (sh *share) waitBudget(ctx context.Context, ended <-chan struct{}) int {
	if sh.budget.ops == 0 { // even without callers: other processes may have some
		timer := time.NewTimer(sh.budget.time)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	} else {
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
	n := runtime.NumGoroutine()
	sh.stop.Store(true)
	return n
}

// sum adds up the records and takes out what recording them has allocated.
func (sh *share) sum(t *tally) {
	t.Hist = new(hist.Histogram)
	for i := range sh.records {
		r := &sh.records[i]
		t.Hist.Merge(&r.hist)
		t.Allocs -= min(t.Allocs, uint64(r.hist.Allocations()))
		if r.err != nil {
			t.Errors++
			if t.Err == "" {
				t.Err = r.err.Error()
			}
		}
	}
	t.Ops = t.Hist.Count()
}

// abandon ends the callers without a run.
func (sh *share) abandon() {
	sh.stop.Store(true)
	sh.cancel(errors.New("bench: abandoned"))
	close(sh.begin)
	sh.callers.Wait()
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
