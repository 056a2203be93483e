package shape

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// meshes are echoes of which each goes to another pair of nodes. callers is their
// number in the process, whatever the number of nodes.
func meshes(o Options) []Shape {
	var all []Shape
	for _, nodes := range []int{8, 32} {
		for _, callers := range []int{2, 16, 64} {
			all = append(all, Shape{
				Name:  result.MeshShape(nodes, callers),
				Title: fmt.Sprintf("all-to-all, echo of 512 B, %d nodes, %d callers in all", nodes, callers),
				Unit:  result.MicrosPerCall,
				Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
					if p.NewMesh == nil {
						return nil
					}
					return func(context.Context) (Runner, error) { return openMesh(p, nodes, callers) }
				}),
			})
		}
	}
	return all
}

// pairs are all ordered pairs of nodes, in an order in which neighbours share no
// node where that can be.
func pairs(nodes int) [][2]int {
	var all [][2]int
	for distance := 1; distance < nodes; distance++ {
		for from := range nodes {
			all = append(all, [2]int{from, (from + distance) % nodes})
		}
	}
	return all
}

func openMesh(p *peer.Peer, nodes, callers int) (Runner, error) {
	mesh, err := p.NewMesh(nodes)
	if err != nil {
		return nil, err
	}
	var calls []measure.Op
	for _, pair := range pairs(nodes) {
		call, err := mesh.Caller(pair[0], pair[1])
		if err != nil {
			return nil, errors.Join(err, mesh.Close())
		}
		calls = append(calls, echo(call, small))
	}
	load := measure.Load{Tails: measure.Latency}
	for i := range callers {
		load.Callers = append(load.Callers, inTurn(calls, i*len(calls)/callers))
	}
	return &loadRunner{load: load, close: mesh.Close}, nil
}

// inTurn goes round all calls, from the first on.
func inTurn(calls []measure.Op, next int) measure.Op {
	return func(ctx context.Context) error {
		call := calls[next%len(calls)]
		next++
		return call(ctx)
	}
}

// openPairs starts nodes of p and a caller for each ordered pair of them.
func openPairs(p *peer.Peer, nodes int) (Runner, error) {
	mesh, err := p.NewMesh(nodes)
	if err != nil {
		return nil, err
	}
	load := measure.Load{Tails: measure.Latency}
	for _, pair := range pairs(nodes) {
		call, err := mesh.Caller(pair[0], pair[1])
		if err != nil {
			return nil, errors.Join(err, mesh.Close())
		}
		load.Callers = append(load.Callers, echo(call, small))
	}
	return &loadRunner{load: load, close: mesh.Close}, nil
}

// openPair starts two nodes of actorgrid, one of which calls the other.
func openPair(s peer.Security, callers int) (Runner, error) {
	g, err := peer.NewGrid(2, s)
	if err != nil {
		return nil, err
	}
	call, err := g.Caller(0, 1)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	load := measure.Load{Tails: measure.Latency, Callers: slices.Repeat([]measure.Op{echo(call, small)}, callers)}
	return &loadRunner{load: load, close: g.Close}, nil
}

// growth is actorgrid with more and more nodes, and one caller for each ordered pair
// of them.
func growth(o Options) Shape {
	return growthOf(o, result.GrowthShape, result.Grid)
}

// floorGrowth tells how much of that is the kernel's. It is a shape of its own because
// the descriptors do not suffice for both at a time.
func floorGrowth(o Options) Shape {
	return growthOf(o, result.FloorGrowthShape, result.RawMux)
}

func growthOf(o Options, shape, name string) Shape {
	s := Shape{Name: shape, Title: "growth, echo of 512 B, one caller per ordered pair of nodes, " + name, Unit: result.MicrosPerCall, Scale: 4}
	for _, p := range o.Peers {
		if p.Name != name {
			continue
		}
		for _, nodes := range growthSizes(o) {
			s.Entrants = append(s.Entrants, Entrant{Name: result.GrowthRow(name, nodes), Peer: p, Open: func(context.Context) (Runner, error) {
				return openPairs(p, nodes)
			}})
		}
	}
	return s
}

// growthSizes are the numbers of nodes, all of which are connected at the same time.
func growthSizes(o Options) []int {
	if o.Quick {
		return []int{result.GrowthFrom, 12}
	}
	sizes := []int{result.GrowthFrom, 32}
	left := descriptorLimit() - 200
	for _, n := range sizes {
		left -= n * n // two per connection, one per listener
	}
	for _, n := range []int{result.GrowthTo, 96, 64, 48} {
		if n*n <= left {
			return append(sizes, n)
		}
	}
	return sizes
}
