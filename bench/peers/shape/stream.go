package shape

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

const (
	longStream  = 10000 // messages of 512 B
	shortStream = 10
	bulkBytes   = 32 << 20 // of a bulk stream
)

// streams are single long streams of small messages.
func streams(o Options) []Shape {
	var all []Shape
	for _, kind := range []peer.Kind{peer.Down, peer.Up} {
		all = append(all, Shape{
			Name:  result.StreamShape(kind.String(), small),
			Title: fmt.Sprintf("stream %v, messages of 512 B, window 64 where there is one", kind),
			Unit:  result.MicrosPerMessage,
			Entrants: entrants(withWindow(o.Peers), func(p *peer.Peer) func(context.Context) (Runner, error) {
				return openStreams(p, kind, peer.Plan{Count: longStream, Size: small}, 1, measure.Load{PerOp: longStream})
			}),
		})
	}
	return append(all, Shape{
		Name:  result.StreamShape("ping-pong", small),
		Title: "stream ping-pong, messages of 512 B, one in flight",
		Unit:  result.MicrosPerMessage,
		Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
			if !p.Streams.Has(peer.Echo) {
				return nil
			}
			return func(ctx context.Context) (Runner, error) { return openPingPong(ctx, p) }
		}),
	})
}

// withWindow adds the floor of these shapes alone behind that of all.
func withWindow(peers []*peer.Peer) []*peer.Peer {
	var all []*peer.Peer
	for _, p := range peers {
		all = append(all, p)
		if p.Name == result.TCP {
			all = append(all, peer.TCPWindow())
		}
	}
	return all
}

// shortStreams are streams that are opened, used for ten messages and ended.
func shortStreams(o Options) []Shape {
	var all []Shape
	for _, kind := range []peer.Kind{peer.Down, peer.Up, peer.Echo} {
		all = append(all, Shape{
			Name:  result.ShortShape(kind.String()),
			Title: fmt.Sprintf("streams of 10 messages of 512 B, %v, 64 callers", kind),
			Unit:  result.MicrosPerStream,
			Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
				if p.Name == result.TCP {
					return nil // a connection for each stream is something else
				}
				return openStreams(p, kind, peer.Plan{Count: shortStream, Size: small}, 64, measure.Load{Tails: measure.Latency})
			}),
		})
	}
	return all
}

// bulks are single streams of large messages, down.
func bulks(o Options) []Shape {
	var all []Shape
	for _, size := range []int{64 << 10, 1 << 20} {
		plan := peer.Plan{Count: uint32(bulkBytes / size), Size: uint32(size)}
		all = append(all, Shape{
			Name:  result.StreamShape("bulk", size),
			Title: fmt.Sprintf("stream down, messages of %s", result.Size(size)),
			Unit:  result.MegabytesPerSec,
			Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
				if p.Name == result.NATS {
					return nil // nothing holds back what the subscriber has not taken
				}
				open := openStreams(p, peer.Down, plan, 1, measure.Load{PerOp: int(plan.Count)})
				if open == nil {
					return nil
				}
				return func(ctx context.Context) (Runner, error) {
					r, err := open(ctx)
					return &throughput{Runner: r, size: size}, err
				}
			}),
		})
	}
	return all
}

// throughput turns time per message into bytes per time.
type throughput struct {
	Runner
	size int
}

func (t *throughput) Measure(ctx context.Context, p measure.Phases) (measure.Sample, error) {
	s, err := t.Runner.Measure(ctx, p)
	s.Value = measure.Number(t.size) / s.Value // bytes per us are MB/s
	return s, err
}

// openStreams returns what opens a runner of streams; nil if the peer has none.
func openStreams(p *peer.Peer, kind peer.Kind, plan peer.Plan, callers int, load measure.Load) func(context.Context) (Runner, error) {
	if !p.Streams.Has(kind) {
		return nil
	}
	return func(context.Context) (Runner, error) {
		pair, err := peer.NewPair(p)
		if err != nil {
			return nil, err
		}
		streamer := pair.Client.(peer.Streamer)
		load.Callers = nil
		for range callers {
			load.Callers = append(load.Callers, func(ctx context.Context) error {
				return runStream(ctx, streamer, kind, plan)
			})
		}
		return &loadRunner{load: load, close: pair.Close}, nil
	}
}

// runStream opens a stream, moves its messages, and reads to its end: a stream that
// is cut short is an error.
func runStream(ctx context.Context, s peer.Streamer, kind peer.Kind, plan peer.Plan) error {
	st, err := s.Open(ctx, kind, plan)
	if err != nil {
		return err
	}
	if kind != peer.Down {
		msg := peer.Pattern(int(plan.Size))
		for range plan.Count {
			if err := st.Send(ctx, msg); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		}
		if err := st.CloseSend(); err != nil {
			return err
		}
	}
	if kind == peer.Up {
		return finishUp(ctx, st, plan)
	}
	for n := uint32(0); ; n++ {
		msg, err := st.Recv(ctx)
		switch {
		case err == io.EOF && n == plan.Count:
			return nil
		case err != nil:
			return fmt.Errorf("%d of %d messages: %w", n, plan.Count, err)
		case len(msg) != int(plan.Size):
			return fmt.Errorf("message of %d bytes, not %d", len(msg), plan.Size)
		}
	}
}

func finishUp(ctx context.Context, st peer.Stream, plan peer.Plan) error {
	msg, err := st.Recv(ctx)
	if err != nil {
		return err
	}
	tally, err := peer.DecodeTally(msg)
	if err != nil {
		return err
	}
	if tally.Count != uint64(plan.Count) {
		return fmt.Errorf("%d of %d messages arrived", tally.Count, plan.Count)
	}
	if _, err := st.Recv(ctx); err != io.EOF {
		return fmt.Errorf("no clean end: %w", err)
	}
	return nil
}

// pingPong keeps one stream for all rounds.
type pingPong struct {
	pair   *peer.Pair
	stream peer.Stream
	cancel context.CancelFunc
}

func openPingPong(ctx context.Context, p *peer.Peer) (Runner, error) {
	pair, err := peer.NewPair(p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	st, err := pair.Client.(peer.Streamer).Open(ctx, peer.Echo, peer.Plan{})
	if err != nil {
		cancel()
		return nil, errors.Join(err, pair.Close())
	}
	return &pingPong{pair: pair, stream: st, cancel: cancel}, nil
}

func (r *pingPong) Measure(ctx context.Context, p measure.Phases) (measure.Sample, error) {
	return measure.Run(ctx, measure.Load{Callers: []measure.Op{exchange(r.stream, small)}, Tails: measure.Latency}, p)
}

// exchange sends a message and waits for it to come back.
func exchange(st peer.Stream, size int) measure.Op {
	msg := peer.Pattern(size)
	return func(ctx context.Context) error {
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
		got, err := st.Recv(ctx)
		if err == nil && len(got) != size {
			err = fmt.Errorf("%d bytes of %d came back", len(got), size)
		}
		return err
	}
}

func (r *pingPong) Close() error {
	r.stream.CloseSend()
	if _, err := r.stream.Recv(context.Background()); err != io.EOF {
		r.cancel()
		return errors.Join(fmt.Errorf("no clean end: %w", err), r.pair.Close())
	}
	r.cancel()
	return r.pair.Close()
}
