package shape

import (
	"context"
	"fmt"
	"io"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// manyStreams opens a hundred thousand streams on one connection, lets each echo a
// message while all are open, and ends them.
func manyStreams(o Options) Shape {
	n := 100000
	if o.Quick {
		n = 2000
	}
	s := Shape{
		Name: result.ManyStreamsShape, Title: fmt.Sprintf("%d streams open at once on one connection: opened, answered, ended; actorgrid", n),
		Unit: result.MicrosPerStream, Once: true,
	}
	if p := subject(o); p != nil {
		s.Entrants = []Entrant{{Name: result.Grid, Peer: p, Open: func(context.Context) (Runner, error) {
			g, err := peer.NewGrid(2, peer.Plain)
			return &many{g, n}, err
		}}}
	}
	return s
}

type many struct {
	grid *peer.GridMesh
	n    int
}

func (m *many) Measure(ctx context.Context, _ measure.Phases) (measure.Sample, error) {
	op := func(ctx context.Context) error { return m.all(ctx) }
	return measure.Run(ctx, measure.Load{Callers: []measure.Op{once(op)}, PerOp: m.n}, measure.Phases{})
}

// once does nothing the first time, which is the warm-up.
func once(op measure.Op) measure.Op {
	warm := false
	return func(ctx context.Context) error {
		if !warm {
			warm = true
			return nil
		}
		return op(ctx)
	}
}

func (m *many) all(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // after the streams are read to their ends
	defer cancel()
	open := make([]peer.Stream, m.n)
	msg := peer.Pattern(tiny)
	for i := range open {
		st, err := m.grid.OpenIdle(ctx, 0, 1)
		if err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
		open[i] = st
	}
	for i, st := range open {
		if err := st.Send(ctx, msg); err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
	}
	for i, st := range open {
		got, err := st.Recv(ctx)
		if err != nil || len(got) != len(msg) {
			return fmt.Errorf("stream %d: %d bytes, error %w", i, len(got), err)
		}
		if err := st.CloseSend(); err != nil {
			return err
		}
	}
	for i, st := range open {
		if _, err := st.Recv(ctx); err != io.EOF {
			return fmt.Errorf("stream %d: no clean end: %w", i, err)
		}
	}
	return nil
}

func (m *many) Close() error { return m.grid.Close() }
