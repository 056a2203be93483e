package shape

import (
	"context"
	"errors"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

const broadcastTo = 31

// broadcast is one request to 31 others, until all have answered: through Broadcast
// in actorgrid, with a goroutine per connection in the others.
func broadcast(o Options) Shape {
	return Shape{
		Name: result.BroadcastShape, Title: "broadcast of 512 B to 31 nodes, until all have answered",
		Unit: result.MicrosPerCall, Scale: 2,
		Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
			switch p.Name {
			case result.GridChannels, result.GridRecycled:
				return nil
			case result.Grid:
				return func(context.Context) (Runner, error) { return openGridBroadcast((*peer.GridMesh).Broadcast) }
			case result.GridInline:
				return func(context.Context) (Runner, error) { return openGridBroadcast((*peer.GridMesh).BroadcastInline) }
			}
			return func(context.Context) (Runner, error) { return openBroadcast(p) }
		}),
	}
}

func openGridBroadcast(broadcast func(*peer.GridMesh, context.Context, int, []byte) error) (Runner, error) {
	g, err := peer.NewGrid(broadcastTo+1, peer.Plain)
	if err != nil {
		return nil, err
	}
	req := peer.Pattern(small)
	op := func(ctx context.Context) error { return broadcast(g, ctx, 0, req) }
	return &loadRunner{load: measure.Load{Callers: []measure.Op{op}, Tails: measure.Latency}, close: g.Close}, nil
}

// openBroadcast connects 31 times to one server: its own state is one and not 31,
// which helps it if anything.
func openBroadcast(p *peer.Peer) (Runner, error) {
	dialer, err := p.NewDialer()
	if err != nil {
		return nil, err
	}
	server, err := p.Serve(dialer.Name())
	if err != nil {
		return nil, err
	}
	f := &fan{server: server}
	for range broadcastTo {
		c, err := dialer.Dial(server.Addr())
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.clients = append(f.clients, c)
		call, err := c.Caller(0)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.calls = append(f.calls, echo(call, small))
	}
	return f, nil
}

// fan is connections to one server.
type fan struct {
	server  peer.Server
	clients []peer.Client
	calls   []measure.Op
}

func (f *fan) Measure(ctx context.Context, p measure.Phases) (measure.Sample, error) {
	return measure.Run(ctx, measure.Load{Callers: []measure.Op{f.all}, Tails: measure.Latency}, p)
}

// all calls each connection from a goroutine of its own, and waits for them.
func (f *fan) all(ctx context.Context) error {
	errs := make(chan error, len(f.calls))
	for _, call := range f.calls {
		go func() { errs <- call(ctx) }() // ends with its call; waited for below
	}
	var failed error
	for range f.calls {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

func (f *fan) Close() error {
	var errs []error
	for _, c := range f.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, f.server.Close())...)
}
