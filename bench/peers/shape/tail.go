package shape

import (
	"context"
	"errors"
	"sync"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

const (
	tiny      = 16 // bytes
	bulkUsers = 16
)

// tail is a tiny call on an idle connection, and beside 16 callers that stream
// messages of 64 KiB on the same connection, in the direction of the request.
func tail(o Options) Shape {
	s := Shape{
		Name: result.TailShape, Title: "call of 16 B on an idle connection, and beside 16 streams of 64 KiB messages on the same one",
		Unit: result.MicrosPerCall, Scale: 4,
	}
	for _, p := range o.Peers {
		if !p.Streams.Has(peer.Up) || !multiplexed(p) {
			continue
		}
		s.Entrants = append(s.Entrants,
			Entrant{Name: p.Name + result.IdleLink, Peer: p, Open: func(context.Context) (Runner, error) { return openTail(p, 0) }},
			Entrant{Name: p.Name + result.BusyLink, Peer: p, Open: func(context.Context) (Runner, error) { return openTail(p, bulkUsers) }})
	}
	return s
}

// multiplexed reports whether calls and streams share one connection.
func multiplexed(p *peer.Peer) bool {
	return p.OneConnection && p.Name != "drpc" && p.Name != result.GridChannels
}

func openTail(p *peer.Peer, streams int) (Runner, error) {
	pair, err := peer.NewPair(p)
	if err != nil {
		return nil, err
	}
	load, err := singleLoad(pair.Client, tiny, 1)
	if err != nil {
		return nil, errors.Join(err, pair.Close())
	}
	return &beside{loadRunner: loadRunner{load: load, close: pair.Close}, streamer: pair.Client.(peer.Streamer), streams: streams}, nil
}

// beside measures a load while streams are busy.
type beside struct {
	loadRunner
	streamer peer.Streamer
	streams  int
}

func (b *beside) Measure(ctx context.Context, p measure.Phases) (measure.Sample, error) {
	stop := make(chan struct{})
	var busy sync.WaitGroup
	errs := make([]error, b.streams)
	for i := range b.streams {
		busy.Go(func() { errs[i] = b.stream(ctx, stop) })
	}
	s, err := b.loadRunner.Measure(ctx, p)
	close(stop)
	busy.Wait()
	return s, errors.Join(append(errs, err)...)
}

// stream sends one stream after the other.
func (b *beside) stream(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := runStream(ctx, b.streamer, peer.Up, peer.Plan{Count: 64, Size: 64 << 10}); err != nil {
			return err
		}
	}
}
