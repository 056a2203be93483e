package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/shape"
)

// options are the flags, resolved.
type options struct {
	rounds   int
	duration time.Duration
	json     string
	plots    string
	list     bool
	heap     int // MiB
	peers    []*peer.Peer
	shapes   []shape.Shape

	serve, caller string // of -serve-peer
}

// quick is what -quick runs.
const (
	quickRounds   = 1
	quickDuration = 20 * time.Millisecond
)

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.rounds, "rounds", 5, "rounds; their median is reported")
	f.DurationVar(&o.duration, "duration", 250*time.Millisecond, "of one measurement; a quarter more for its warm-up")
	f.StringVar(&o.json, "json", "", "write all samples and figures to this file")
	f.StringVar(&o.plots, "plots", "", "write an SVG file per shape into this directory")
	f.IntVar(&o.heap, "heap", 0, "MiB that this process keeps alive besides, as a server does: the less, the more often garbage is collected")
	f.BoolVar(&o.list, "list", false, "list the shapes")
	f.StringVar(&o.serve, shape.ServeFlag, "", "be the server of this peer (the command starts itself so)")
	shapes := f.String("shape", "", "only shapes that match this regular expression")
	peers := f.String("peer", "", "only peers that match this regular expression")
	procs := f.Bool("procs", false, "also the singles with the server in another process")
	quick := f.Bool("quick", false, "one short round of smaller shapes: do all work? The numbers mean nothing")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.serve != "" {
		o.caller = f.Arg(0)
		return o, nil
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if o.rounds < 1 || o.duration <= 0 {
		return nil, fmt.Errorf("-rounds and -duration must be positive")
	}
	if o.heap < 0 {
		return nil, fmt.Errorf("-heap must not be negative")
	}
	if *quick {
		o.rounds, o.duration = quickRounds, quickDuration
	}
	return o, o.filter(*peers, *shapes, shape.Options{Procs: *procs, Quick: *quick})
}

// filter chooses peers and shapes.
func (o *options) filter(peers, shapes string, so shape.Options) error {
	p, err := regexp.Compile(peers)
	if err != nil {
		return fmt.Errorf("-peer: %w", err)
	}
	s, err := regexp.Compile(shapes)
	if err != nil {
		return fmt.Errorf("-shape: %w", err)
	}
	for _, candidate := range peer.All() {
		if p.MatchString(candidate.Name) {
			o.peers = append(o.peers, candidate)
		}
	}
	so.Peers = o.peers
	for _, candidate := range shape.All(so) {
		if s.MatchString(candidate.Name) {
			o.shapes = append(o.shapes, candidate)
		}
	}
	if len(o.shapes) == 0 {
		return fmt.Errorf("no peer and shape match -peer %q -shape %q", peers, shapes)
	}
	return nil
}
