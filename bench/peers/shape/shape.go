// Package shape is what is measured: the shapes, their entrants, and the order in
// which they take turns.
package shape

import (
	"context"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// Shape is one thing that all entrants do in turn.
type Shape struct {
	Name     string // as -shape matches it
	Title    string
	Unit     result.Unit
	Scale    float64 // of the duration of a measurement; 0 means 1
	Once     bool    // one round says all
	Entrants []Entrant
}

// Entrant is one row of a shape.
type Entrant struct {
	Name string
	Peer *peer.Peer
	Open func(ctx context.Context) (Runner, error)
}

// Runner is an entrant that is set up, and idle between measurements.
type Runner interface {
	Measure(ctx context.Context, p measure.Phases) (measure.Sample, error)
	Close() error
}

// Names of the shapes that the figures are computed from are in package result.

// Options says which shapes there are.
type Options struct {
	Peers []*peer.Peer // who takes part
	Procs bool         // add the shapes with the server in a process of its own
	Quick bool         // smaller shapes, to see that all work
}

// All returns the shapes in the order of the report.
func All(o Options) []Shape {
	var all []Shape
	all = append(all, singles(o)...)
	all = append(all, typed(o))
	all = append(all, meshes(o)...)
	all = append(all, streams(o)...)
	all = append(all, bulks(o)...)
	all = append(all, shortStreams(o)...)
	all = append(all, broadcast(o), tail(o), secure(o), growth(o), floorGrowth(o))
	all = append(all, idleConnections(o), idleStreams(o), manyStreams(o))
	if o.Procs {
		all = append(all, processes(o)...)
	}
	kept := all[:0]
	for _, s := range all {
		if len(s.Entrants) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// entrants makes one for each peer that open returns something for.
func entrants(peers []*peer.Peer, open func(p *peer.Peer) func(ctx context.Context) (Runner, error)) []Entrant {
	var all []Entrant
	for _, p := range peers {
		if o := open(p); o != nil {
			all = append(all, Entrant{Name: p.Name, Peer: p, Open: o})
		}
	}
	return all
}

// subject returns actorgrid, if it takes part.
func subject(o Options) *peer.Peer {
	for _, p := range o.Peers {
		if p.Name == result.Grid {
			return p
		}
	}
	return nil
}

// loadRunner runs a load that stays the same.
type loadRunner struct {
	load  measure.Load
	close func() error
}

func (r *loadRunner) Measure(ctx context.Context, p measure.Phases) (measure.Sample, error) {
	return measure.Run(ctx, r.load, p)
}

func (r *loadRunner) Close() error { return r.close() }

// warmup is the part of a measurement that runs before it.
func warmup(d time.Duration) time.Duration { return d / 4 }
