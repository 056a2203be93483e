package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/actorgrid/actorgrid/bench/hist"
)

// warmUp is the time of the pass that is not measured.
func warmUp(d time.Duration) time.Duration {
	return min(max(d/5, 10*time.Millisecond), 250*time.Millisecond)
}

// Run warms up and measures one scenario. After a Ctrl-C, when ctx has ended, the
// Result holds what was measured until then.
func Run(ctx context.Context, g *Grid, s Scenario, callers int, d time.Duration) (Result, error) {
	warm, err := g.Prepare(ctx, s, callers, For(warmUp(d)))
	if err != nil {
		return Result{}, err
	}
	r, err := warm.Run(ctx)
	if err != nil || r.Errors > 0 || ctx.Err() != nil {
		return r.onlyErrors(), err
	}
	p, err := g.Prepare(ctx, s, callers, For(d))
	if err != nil {
		return Result{}, err
	}
	return p.Run(ctx)
}

// Pass is one run of a scenario, ready to start.
type Pass struct {
	grid     *Grid
	scenario Scenario
	callers  int
	local    *share
}

// Prepare opens the callers. The Pass must be Run. A budget of Ops is for grids in
// one process.
func (g *Grid) Prepare(ctx context.Context, s Scenario, callers int, b Budget) (*Pass, error) {
	if callers < 1 || callers > MaxCallers {
		return nil, fmt.Errorf("%d callers: not within 1 and %d", callers, MaxCallers)
	}
	if b.ops > 0 && len(g.children) > 0 {
		return nil, errors.New("a budget of operations needs all nodes in one process")
	}
	for _, c := range g.children {
		if err := c.send(command{Do: doOpen, Scenario: s.Name, Callers: callers, Time: b.time}); err != nil {
			return nil, err
		}
	}
	local, err := openShare(ctx, g.nodes, s, g.cfg, callers, b)
	if err != nil {
		return nil, err
	}
	for _, c := range g.children {
		if _, err := c.receive(openTimeout); err != nil {
			local.abandon()
			return nil, err
		}
	}
	return &Pass{g, s, callers, local}, nil
}

// Run lets the callers go, in all processes, waits for their end and sums up.
func (p *Pass) Run(ctx context.Context) (Result, error) {
	for _, c := range p.grid.children {
		if err := c.send(command{Do: doBegin}); err != nil {
			p.local.abandon()
			return Result{}, err
		}
	}
	sum := p.local.run(ctx)
	for _, c := range p.grid.children {
		if err := c.send(command{Do: doFinish}); err != nil {
			return Result{}, err
		}
	}
	for _, c := range p.grid.children {
		r, err := c.receive(2 * grace)
		if err != nil {
			return Result{}, err
		}
		if r.Tally == nil || r.Tally.Hist == nil {
			return Result{}, fmt.Errorf("node %d: its process sent no result", c.index)
		}
		sum.add(r.Tally)
	}
	r := p.result(&sum)
	r.Interrupted = ctx.Err() != nil
	return r, nil
}

// add takes over another process's part, which ran at the same time.
func (t *tally) add(other *tally) {
	t.Ops += other.Ops
	t.Errors += other.Errors
	if t.Err == "" {
		t.Err = other.Err
	}
	t.Elapsed = max(t.Elapsed, other.Elapsed)
	t.Allocs += other.Allocs
	t.Goroutines += other.Goroutines
	t.Hist.Merge(other.Hist)
}

func (p *Pass) result(t *tally) Result {
	g := p.grid
	r := Result{
		Scenario:   p.scenario.Name,
		Callers:    p.callers,
		AllCallers: p.callers,
		Ops:        t.Ops,
		Errors:     t.Errors,
		Err:        t.Err,
		Seconds:    t.Elapsed.Seconds(),
		Allocs:     t.Allocs,
		Goroutines: t.Goroutines,
		Bytes:      t.Ops * uint64(p.scenario.bytes(g.cfg, g.topology.Degree())),
	}
	if p.scenario.Everywhere() {
		r.AllCallers *= g.cfg.Nodes
	}
	r.latencies(t.Hist)
	return r
}

func (r *Result) latencies(h *hist.Histogram) {
	r.P50, r.P99, r.P999, r.Max = h.Quantile(0.5), h.Quantile(0.99), h.Quantile(0.999), h.Max()
}
