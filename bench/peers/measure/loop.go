package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/bench/hist"
)

// Op is one round of a closed loop; ctx is its caller's.
type Op func(ctx context.Context) error

// Load is a closed loop: each caller starts its next op when the last has ended.
type Load struct {
	Callers []Op
	PerOp   int  // things counted per op; below 1 means 1
	Tails   Tail // whether the latency of an op means something
}

// Tail says which latencies are kept.
type Tail uint8

// What is kept.
const (
	NoLatency Tail = iota
	Latency
)

// Phases is how long a load runs before and while it is measured.
type Phases struct{ Warmup, Measured time.Duration }

// patience is how much longer than planned a load may take before it counts as
// stuck.
const patience = 15 * time.Second

// ErrStuck means that callers have not come back. They are left behind; whoever owns
// what they hang on must close it.
var ErrStuck = errors.New("measure: callers are stuck")

// loop is a load that runs.
type loop struct {
	load    Load
	warmEnd time.Time
	warm    sync.WaitGroup // callers still warming up
	begin   chan struct{}  // closed when all are warm; end is valid then
	end     time.Time
	done    sync.WaitGroup

	mu   sync.Mutex
	sum  hist.Histogram
	ops  int64
	err  error
	hist uint64 // objects allocated for latencies
}

// Run runs load and returns what an op costs, in microseconds. The first error of a
// caller ends its loop and is returned.
func Run(ctx context.Context, load Load, p Phases) (Sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stuck := time.AfterFunc(p.Warmup+p.Measured+patience, cancel)
	defer stuck.Stop()
	l := &loop{load: load, warmEnd: time.Now().Add(p.Warmup), begin: make(chan struct{})}
	l.warm.Add(len(load.Callers))
	for _, op := range load.Callers {
		l.done.Go(func() { l.caller(ctx, op) })
	}
	if err := within(&l.warm, p.Warmup); err != nil {
		close(l.begin)
		return Sample{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpuBefore, _ := cpuTime()
	start := time.Now()
	l.end = start.Add(p.Measured)
	close(l.begin)
	err := within(&l.done, p.Measured)
	wall := time.Since(start)
	cpu, known := cpuTime()
	runtime.ReadMemStats(&after)
	if err := errors.Join(err, l.failure()); err != nil {
		return Sample{}, err
	}
	n := float64(l.ops * int64(max(load.PerOp, 1)))
	s := empty()
	s.Value, s.Ops = Number(float64(wall.Nanoseconds())/1e3/n), int64(n)
	if known {
		s.CPU = Number(float64((cpu - cpuBefore).Nanoseconds()) / 1e3 / n)
	}
	s.Allocs = Number(float64(after.Mallocs-before.Mallocs-min(l.hist, after.Mallocs-before.Mallocs)) / n)
	s.Bytes = Number(float64(after.TotalAlloc-before.TotalAlloc) / n)
	if load.Tails == Latency {
		s.latencies(&l.sum)
	}
	return s, nil
}

// within waits for g, with patience.
func within(g *sync.WaitGroup, planned time.Duration) error {
	done := make(chan struct{})
	go func() { // ends with the group, which is waited for below or reported as stuck
		defer close(done)
		g.Wait()
	}()
	late := time.NewTimer(planned + 2*patience)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-late.C:
		return ErrStuck
	}
}

// caller is one caller, with a context of its own as every real one has.
func (l *loop) caller(ctx context.Context, op Op) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := l.repeat(ctx, op, l.warmEnd, new(hist.Histogram))
	l.warm.Done()
	<-l.begin
	var h hist.Histogram
	if err == nil && !l.end.IsZero() {
		err = l.repeat(ctx, op, l.end, &h)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops += int64(h.Count())
	l.hist += uint64(h.Allocations())
	if l.load.Tails == Latency {
		l.sum.Merge(&h)
	}
	if l.err == nil {
		l.err = err
	}
}

// repeat runs op at least once, and until the time.
func (l *loop) repeat(ctx context.Context, op Op, until time.Time, h *hist.Histogram) error {
	for now := time.Now(); ; {
		if err := op(ctx); err != nil {
			return err
		}
		next := time.Now()
		h.Record(next.Sub(now))
		if now = next; !now.Before(until) {
			return nil
		}
	}
}

func (l *loop) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return fmt.Errorf("a caller failed: %w", l.err)
	case l.ops == 0:
		return errors.New("no op was counted")
	}
	return nil
}
