package scenario

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestEveryScenarioRunsWithoutAnError(t *testing.T) {
	for name, cfg := range map[string]Config{
		"tcp": {Nodes: 3, Size: 512},
		"tls": {Nodes: 3, Size: 10, TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := startGrid(t, cfg)
			for _, s := range All() {
				r, err := Run(context.Background(), g, s, 3, testTime)
				if err != nil {
					t.Fatal(err)
				}
				wantGood(t, r)
				if r.Interrupted {
					t.Errorf("%s: interrupted by nobody", s.Name)
				}
			}
		})
	}
}

func TestAllSizesArrive(t *testing.T) {
	for _, size := range []int{0, 1, 100_000} {
		g := startGrid(t, Config{Nodes: 2, Size: size, Window: 10})
		for _, s := range All() {
			p, err := g.Prepare(context.Background(), s, 2, Ops(20))
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(context.Background())
			if err != nil || r.Errors > 0 {
				t.Errorf("%d bytes: %s: %v %s", size, s.Name, err, r.Err)
			}
		}
	}
}

func TestBudgetOfOperationsIsKeptExactly(t *testing.T) {
	g := startGrid(t, Config{Nodes: 3, Size: 100})
	for _, s := range All() {
		p, err := g.Prepare(context.Background(), s, 7, Ops(1000))
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		wantGood(t, r)
		if r.Ops != 1000 {
			t.Errorf("%s: %d operations, want 1000", s.Name, r.Ops)
		}
		if want := uint64(1000 * s.bytes(g.cfg, 2)); r.Bytes != want {
			t.Errorf("%s: %d bytes, want %d", s.Name, r.Bytes, want)
		}
	}
}

func TestCallersAreOnEveryNodeInAllToAllOnly(t *testing.T) {
	g := startGrid(t, Config{Nodes: 4})
	for _, s := range All() {
		p, err := g.Prepare(context.Background(), s, 5, Ops(100))
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		want := 5
		if s.Name == "all-to-all" {
			want = 20
		}
		if r.AllCallers != want || len(p.local.records) != want {
			t.Errorf("%s: %d callers reported, %d run; want %d", s.Name, r.AllCallers, len(p.local.records), want)
		}
	}
}

// faulty fails from the given step on.
type faulty struct {
	left atomic.Int64
	err  error
}

func (f *faulty) step(context.Context) error {
	if f.left.Add(-1) < 0 {
		return f.err
	}
	return nil
}

func (f *faulty) finish(context.Context) error { return nil }

func TestFailedCallersAreCountedAndTheFirstErrorIsTold(t *testing.T) {
	g := startGrid(t, Config{Nodes: 2})
	f := &faulty{err: errors.New("broken on purpose")}
	f.left.Store(1000)
	s := Scenario{Name: "faulty", bytes: messageBytes}
	s.open = func(context.Context, *node, int, Config) (caller, error) { return f, nil }
	p, err := g.Prepare(context.Background(), s, 4, Ops(2000)) // not all of them are used up
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Ops != 1000 || r.Errors != 4 || r.Err != f.err.Error() {
		t.Errorf("%d operations, %d failed with %q; want 1000, 4, %q", r.Ops, r.Errors, r.Err, f.err)
	}
}

func TestNothingButErrorsCountsOfAWarmUp(t *testing.T) {
	g := startGrid(t, Config{Nodes: 2})
	bad, good := &faulty{err: errors.New("broken on purpose")}, &faulty{}
	good.left.Store(math.MaxInt64)
	s := Scenario{Name: "faulty", bytes: messageBytes}
	s.open = func(_ context.Context, _ *node, i int, _ Config) (caller, error) { return []caller{bad, good}[i], nil }
	r, err := Run(context.Background(), g, s, 2, 50*time.Millisecond) // of which a fifth is the warm-up
	want := Result{Scenario: "faulty", Callers: 2, AllCallers: 2, Errors: 1, Err: bad.err.Error()}
	if err != nil || r != want {
		t.Errorf("got %+v, %v; want %+v", r, err, want)
	}
}

func TestScenarioThatCannotOpenLeavesNothingBehind(t *testing.T) {
	g := startGrid(t, Config{Nodes: 2})
	good := named(t, "stream-up").open
	s := Scenario{Name: "half open"}
	s.open = func(ctx context.Context, n *node, i int, cfg Config) (caller, error) {
		if i == 3 {
			return nil, errors.New("no more")
		}
		return good(ctx, n, i, cfg)
	}
	if _, err := g.Prepare(context.Background(), s, 5, Ops(1)); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("Prepare: %v", err)
	}
}

func TestInterruptedRunKeepsWhatWasMeasured(t *testing.T) {
	g := startGrid(t, Config{Nodes: 2, Size: 10})
	for _, s := range All() {
		p, err := g.Prepare(context.Background(), s, 2, For(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), testTime)
		r, err := p.Run(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		wantGood(t, r)
		if !r.Interrupted {
			t.Errorf("%s: not marked as interrupted", s.Name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := Run(ctx, g, named(t, "single"), 1, time.Hour)
	if err != nil || r.Ops != 0 {
		t.Errorf("interrupted in the warm-up: %d operations, %v; want none", r.Ops, err)
	}
}

func TestConfigOutOfRangeIsRefused(t *testing.T) {
	for _, cfg := range []Config{{Nodes: 1}, {Nodes: -1}, {Nodes: 513}, {Size: -1}, {Size: MaxSize + 1}, {Window: -1}} {
		if g, err := Start(context.Background(), cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
			g.Close()
		}
	}
	g := startGrid(t, Config{Nodes: 2})
	for _, n := range []int{-1, 0, MaxCallers + 1} {
		if _, err := g.Prepare(context.Background(), named(t, "single"), n, Ops(1)); err == nil {
			t.Errorf("%d callers were accepted", n)
		}
	}
}
