package shape

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// scripted is a runner that notes its turns.
type scripted struct {
	name   string
	turns  *[]string
	fails  bool
	closed *[]string
	during func()
}

func (s *scripted) Measure(context.Context, measure.Phases) (measure.Sample, error) {
	*s.turns = append(*s.turns, s.name)
	if s.during != nil {
		s.during()
	}
	if s.fails {
		return measure.Sample{}, errors.New("broken")
	}
	return measure.Sample{Value: 1}, nil
}

func (s *scripted) Close() error {
	*s.closed = append(*s.closed, s.name)
	return nil
}

func scriptedShape(runners ...*scripted) Shape {
	s := Shape{Name: "test", Unit: result.MicrosPerCall}
	for _, r := range runners {
		s.Entrants = append(s.Entrants, Entrant{Name: r.name, Peer: &peer.Peer{Name: r.name}, Open: func(context.Context) (Runner, error) { return r, nil }})
	}
	return s
}

func TestEntrantsTakeTurnsInEachRound(t *testing.T) {
	var turns, closed []string
	a, b := &scripted{name: "a", turns: &turns, closed: &closed}, &scripted{name: "b", turns: &turns, closed: &closed}
	e := Engine{Rounds: 3, Duration: time.Millisecond}
	table := e.Run(t.Context(), scriptedShape(a, b))
	if want := []string{"a", "b", "b", "a", "a", "b"}; !slices.Equal(turns, want) {
		t.Errorf("turns %v, want %v", turns, want)
	}
	if len(table.Row("a").Rounds) != 3 || len(table.Row("b").Rounds) != 3 || !slices.Equal(closed, []string{"a", "b"}) {
		t.Errorf("%+v, %+v, closed %v", table.Row("a"), table.Row("b"), closed)
	}
}

func TestAnEntrantThatFailsDropsOut(t *testing.T) {
	var turns, closed []string
	a, b := &scripted{name: "a", turns: &turns, closed: &closed, fails: true}, &scripted{name: "b", turns: &turns, closed: &closed}
	e := Engine{Rounds: 2, Duration: time.Millisecond}
	table := e.Run(t.Context(), scriptedShape(a, b))
	if want := []string{"a", "b", "b"}; !slices.Equal(turns, want) || !slices.Equal(closed, []string{"a", "b"}) {
		t.Errorf("turns %v, closed %v", turns, closed)
	}
	if table.Row("a").Err != "broken" || len(table.Row("a").Rounds) != 0 || len(table.Row("b").Rounds) != 2 {
		t.Errorf("%+v, %+v", table.Row("a"), table.Row("b"))
	}
}

func TestAnInterruptKeepsWhatThereIs(t *testing.T) {
	var turns, closed []string
	ctx, interrupt := context.WithCancel(t.Context())
	a, b := &scripted{name: "a", turns: &turns, closed: &closed}, &scripted{name: "b", turns: &turns, closed: &closed, during: interrupt}
	e := Engine{Rounds: 9, Duration: time.Millisecond}
	table := e.Run(ctx, scriptedShape(a, b))
	if len(turns) != 2 || len(table.Row("a").Rounds) != 1 || len(table.Row("b").Rounds) != 0 || len(closed) != 2 {
		t.Errorf("turns %v, closed %v, %+v, %+v", turns, closed, table.Row("a"), table.Row("b"))
	}
	if table.Row("b").Err != "" {
		t.Errorf("an interrupt counts as %q", table.Row("b").Err)
	}
}

func TestPairsAreAllOrderedPairsOnce(t *testing.T) {
	seen := make(map[[2]int]bool)
	for _, p := range pairs(5) {
		if p[0] == p[1] || seen[p] {
			t.Errorf("pair %v", p)
		}
		seen[p] = true
	}
	if len(seen) != 5*4 {
		t.Errorf("%d pairs", len(seen))
	}
}

func TestAGridOfFewNodesIsTakenWhereDescriptorsAreShort(t *testing.T) {
	left := descriptorLimit() - 200
	for _, n := range growthSizes(Options{}) {
		left -= n * n
	}
	if left < 0 {
		t.Errorf("%d descriptors short", -left)
	}
}
