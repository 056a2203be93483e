package shape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// How long the number of goroutines must stay the same. The idle workers of
// actorgrid leave after two seconds, at the latest after four.
const (
	settles     = 200 * time.Millisecond
	gridSettles = 4500 * time.Millisecond
)

// idleNodes make 210 connections.
const (
	idleNodes = 21
	idleCount = idleNodes * (idleNodes - 1) / 2
)

// idleConnections is what a connection costs that has been used and is idle.
func idleConnections(o Options) Shape {
	return Shape{
		Name: result.IdleConnections, Title: fmt.Sprintf("an idle connection, both ends, of %d", idleCount), Unit: result.KiBEach,
		Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
			switch {
			case p.Name == result.Grid:
				return func(context.Context) (Runner, error) { return openGridIdle() }
			case !p.OneConnection && p.Name != result.TCP, p.Name == result.GridChannels, p.Name == result.GridRecycled, p.Name == result.GridInline, p.Name == "tcp-1conn", p.Name == "yamux-reused":
				return nil // the same as another row
			}
			return func(context.Context) (Runner, error) { return idleFan{p}, nil }
		}),
	}
}

// idleFan measures connections to one server.
type idleFan struct{ p *peer.Peer }

func (f idleFan) Measure(ctx context.Context, _ measure.Phases) (s measure.Sample, err error) {
	dialer, err := f.p.NewDialer()
	if err != nil {
		return s, err
	}
	server, err := f.p.Serve(dialer.Name())
	if err != nil {
		return s, err
	}
	var clients []peer.Client
	defer func() {
		for _, c := range clients {
			err = errors.Join(err, c.Close())
		}
		err = errors.Join(err, server.Close())
	}()
	before := measure.AtRest(settles)
	for range idleCount {
		c, err := dialer.Dial(server.Addr())
		if err != nil {
			return s, err
		}
		clients = append(clients, c)
		call, err := c.Caller(0)
		if err != nil {
			return s, err
		}
		if err := echo(call, small)(ctx); err != nil {
			return s, err
		}
	}
	return measure.AtRest(settles).Sub(before).Each(idleCount), nil
}

func (idleFan) Close() error { return nil }

// gridIdle measures a mesh against as many nodes without connections. keep holds the
// event loop, which is the process's and not a connection's.
type gridIdle struct{ keep *peer.GridMesh }

func openGridIdle() (Runner, error) {
	keep, err := peer.NewGrid(2, peer.Plain)
	return &gridIdle{keep}, err
}

func (g *gridIdle) Measure(ctx context.Context, _ measure.Phases) (measure.Sample, error) {
	var lone []*peer.GridMesh
	empty := measure.AtRest(gridSettles)
	for range idleNodes {
		n, err := peer.NewGrid(1, peer.Plain)
		if err != nil {
			return measure.Sample{}, err
		}
		lone = append(lone, n)
	}
	nodes := measure.AtRest(gridSettles).Sub(empty)
	for _, n := range lone {
		if err := n.Close(); err != nil {
			return measure.Sample{}, err
		}
	}
	lone = nil
	empty = measure.AtRest(gridSettles)
	mesh, err := peer.NewGrid(idleNodes, peer.Plain)
	if err != nil {
		return measure.Sample{}, err
	}
	err = useAll(ctx, mesh)
	grid := measure.AtRest(gridSettles).Sub(empty)
	return grid.Sub(nodes).Each(idleCount), errors.Join(err, mesh.Close())
}

// useAll makes one call each way on every connection.
func useAll(ctx context.Context, mesh peer.Mesh) error {
	for _, pair := range pairs(idleNodes) {
		call, err := mesh.Caller(pair[0], pair[1])
		if err != nil {
			return err
		}
		if err := echo(call, small)(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (g *gridIdle) Close() error { return g.keep.Close() }

// idleStreams is what a two-way stream costs that is open and idle.
func idleStreams(o Options) Shape {
	return Shape{
		Name: result.IdleStreams, Title: fmt.Sprintf("an idle two-way stream, both ends, of %d on one connection", idleCount), Unit: result.KiBEach,
		Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
			if !p.Streams.Has(peer.Echo) || !p.OneConnection || p.Name == "drpc" || p.Name == result.GridRecycled {
				return nil // a connection for each stream
			}
			return func(context.Context) (Runner, error) {
				pair, err := peer.NewPair(p)
				return &idleStreamRunner{pair: pair, quiet: quietOf(p)}, err
			}
		}),
	}
}

func quietOf(p *peer.Peer) time.Duration {
	if p.Role == peer.Subject {
		return gridSettles
	}
	return settles
}

type idleStreamRunner struct {
	pair  *peer.Pair
	quiet time.Duration
}

func (r *idleStreamRunner) Measure(ctx context.Context, _ measure.Phases) (s measure.Sample, err error) {
	call, err := r.pair.Client.Caller(0)
	if err != nil {
		return s, err
	}
	if err := echo(call, small)(ctx); err != nil {
		return s, err
	}
	before := measure.AtRest(r.quiet)
	ctx, cancel := context.WithCancel(ctx) // after the streams are read to their ends
	defer cancel()
	var open []peer.Stream
	for range idleCount {
		st, err := r.pair.Client.(peer.Streamer).Open(ctx, peer.Echo, peer.Plan{})
		if err != nil {
			return s, err
		}
		open = append(open, st)
		if err := exchange(st, small)(ctx); err != nil {
			return s, err
		}
	}
	s = measure.AtRest(r.quiet).Sub(before).Each(idleCount)
	for _, st := range open {
		if err := st.CloseSend(); err != nil {
			return s, err
		}
		if _, err := st.Recv(ctx); err != io.EOF {
			return s, fmt.Errorf("no clean end: %w", err)
		}
	}
	return s, nil
}

func (r *idleStreamRunner) Close() error { return r.pair.Close() }
