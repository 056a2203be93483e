package shape

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// Engine runs shapes.
type Engine struct {
	Rounds   int
	Duration time.Duration // of one measurement
	Progress func(Step)
}

// Step is what the engine is doing.
type Step struct {
	Shape, Entrant string
	Round, Rounds  int // from 1
	Last           measure.Number
	Unit           result.Unit
	Err            error
}

// Run measures a shape. All entrants are set up first and stay so; in each round all
// take turns, so that a drift of the machine meets all of them alike, beginning with
// another one each time. An entrant that fails drops out. The end of ctx ends the
// run with what there is.
func (e *Engine) Run(ctx context.Context, s Shape) *result.Table {
	t := &result.Table{Shape: s.Name, Title: s.Title, Unit: s.Unit}
	runners := make([]Runner, len(s.Entrants))
	defer func() {
		for i, r := range runners {
			e.drop(t.Rows[i], r)
		}
	}()
	for i, entrant := range s.Entrants {
		row := &result.Row{Name: entrant.Name, Role: entrant.Peer.Role, OneConn: entrant.Peer.OneConnection}
		t.Rows = append(t.Rows, row)
		if ctx.Err() != nil {
			continue
		}
		r, err := entrant.Open(ctx)
		if err != nil {
			e.fail(s, row, fmt.Errorf("set-up: %w", err))
			continue
		}
		runners[i] = r
	}
	for round := range e.rounds(s) {
		for i := range runners {
			at := (i + round) % len(runners)
			if runners[at] == nil || ctx.Err() != nil {
				continue
			}
			if !e.turn(ctx, s, t.Rows[at], runners[at], round) {
				e.drop(t.Rows[at], runners[at])
				runners[at] = nil
			}
		}
	}
	return t
}

func (e *Engine) rounds(s Shape) int {
	if s.Once {
		return 1
	}
	return e.Rounds
}

// turn is one measurement of one entrant; it reports whether the entrant stays.
func (e *Engine) turn(ctx context.Context, s Shape, row *result.Row, r Runner, round int) bool {
	d := e.Duration
	if s.Scale > 0 {
		d = time.Duration(float64(d) * s.Scale)
	}
	runtime.GC()
	sample, err := r.Measure(ctx, measure.Phases{Warmup: warmup(d), Measured: d})
	if ctx.Err() != nil {
		return true // interrupted: not a sample, and nobody's fault
	}
	if err != nil {
		e.fail(s, row, err)
		return false
	}
	row.Rounds = append(row.Rounds, sample)
	e.report(Step{Shape: s.Name, Entrant: row.Name, Round: round + 1, Rounds: e.rounds(s), Last: sample.Value, Unit: s.Unit})
	return true
}

func (e *Engine) fail(s Shape, row *result.Row, err error) {
	row.Err = err.Error()
	e.report(Step{Shape: s.Name, Entrant: row.Name, Unit: s.Unit, Last: measure.None, Err: err})
}

// drop closes an entrant. That it fails to close is worth a note, not the result.
func (e *Engine) drop(row *result.Row, r Runner) {
	if r == nil {
		return
	}
	if err := r.Close(); err != nil && row.Err == "" {
		row.Err = fmt.Sprintf("close: %v", err)
	}
}

func (e *Engine) report(s Step) {
	if e.Progress != nil {
		e.Progress(s)
	}
}
