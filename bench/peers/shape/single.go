package shape

import (
	"context"
	"errors"
	"fmt"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

const small = 512 // bytes

// singles are echoes between two nodes.
func singles(o Options) []Shape {
	var all []Shape
	for _, callers := range []int{1, 2, 16, 64, 512} {
		all = append(all, single(o, small, callers))
	}
	for _, size := range []int{16, 4 << 10, 64 << 10} {
		for _, callers := range []int{1, 64} {
			all = append(all, single(o, size, callers))
		}
	}
	return all
}

func single(o Options, size, callers int) Shape {
	return Shape{
		Name:  result.SingleShape(size, callers),
		Title: fmt.Sprintf("single, echo of %s, %s between two nodes", result.Size(size), count(callers, "caller")),
		Unit:  result.MicrosPerCall,
		Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
			if p.Name == result.GridChannels {
				return nil // the same code
			}
			return func(context.Context) (Runner, error) { return openSingle(p, size, callers) }
		}),
	}
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func openSingle(p *peer.Peer, size, callers int) (Runner, error) {
	pair, err := peer.NewPair(p)
	if err != nil {
		return nil, err
	}
	load, err := singleLoad(pair.Client, size, callers)
	if err != nil {
		return nil, errors.Join(err, pair.Close())
	}
	return &loadRunner{load: load, close: pair.Close}, nil
}

func singleLoad(c peer.Client, size, callers int) (measure.Load, error) {
	load := measure.Load{Tails: measure.Latency}
	for i := range callers {
		call, err := c.Caller(i)
		if err != nil {
			return load, err
		}
		load.Callers = append(load.Callers, echo(call, size))
	}
	return load, nil
}

// echo calls and compares lengths; that the bytes are right is the tests' business.
func echo(call peer.Call, size int) measure.Op {
	req := peer.Pattern(size)
	return func(ctx context.Context) error {
		resp, err := call(ctx, req)
		if err == nil && len(resp) != size {
			err = fmt.Errorf("%d bytes of %d came back", len(resp), size)
		}
		return err
	}
}

// typed is actorgrid's call with msgpack values beside that with bytes.
func typed(o Options) Shape {
	s := Shape{Name: result.TypedShape, Title: "single with msgpack values of 512 B, actorgrid", Unit: result.MicrosPerCall}
	if p := subject(o); p != nil {
		s.Entrants = []Entrant{{Name: result.Grid, Peer: p, Open: func(context.Context) (Runner, error) {
			g, err := peer.NewGrid(2, peer.Plain)
			if err != nil {
				return nil, err
			}
			load := measure.Load{Callers: []measure.Op{echo(g.Typed(0, 1), small)}, Tails: measure.Latency}
			return &loadRunner{load: load, close: g.Close}, nil
		}}}
	}
	return s
}

// secure is actorgrid with and without TLS.
func secure(o Options) Shape {
	const callers = 64
	s := Shape{Name: result.TLSShape, Title: "single, echo of 512 B, 64 callers, actorgrid with and without TLS", Unit: result.MicrosPerCall}
	p := subject(o)
	if p == nil {
		return s
	}
	for _, security := range []peer.Security{peer.Plain, peer.TLS} {
		s.Entrants = append(s.Entrants, Entrant{Name: linkName(security), Peer: p, Open: func(context.Context) (Runner, error) {
			return openPair(security, callers)
		}})
	}
	return s
}

func linkName(s peer.Security) string {
	if s == peer.TLS {
		return result.TLSLink
	}
	return result.PlainLink
}
