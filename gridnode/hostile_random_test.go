package gridnode_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

var randomSeed = flag.Uint64("randomseed", 0, "replay one seed of TestRandomStreams")

const hRandom gridnode.HandlerID = 210

// TestRandomStreams drives streams at both ends with random operations from a seed, and
// checks what each end saw against what the other did.
func TestRandomStreams(t *testing.T) {
	first, last := uint64(1), uint64(60)
	if *randomSeed != 0 {
		first, last = *randomSeed, *randomSeed
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprintf("randomseed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newRandomGrid(t, seed).run() })
		})
	}
}

// randomGrid is two nodes whose streams are driven at random; both open streams to the
// other.
type randomGrid struct {
	t    *testing.T
	c    *gridtest.Cluster
	seed uint64

	streams [16]*randomStream // by number, which begins the stream's payload
}

// randomStream is what both ends of a stream did and saw. Each side is written by its
// own goroutines alone, and read when all is over.
type randomStream struct {
	number           uint64
	caller, handler  randomEnd
	cancelled        bool  // the caller's context or Cancel ended it
	result           error // what the handler returned
	panics, returned bool
	halfClosed       bool
}

// randomEnd is one end: how many messages it sent and received, and its last errors.
type randomEnd struct {
	sent, received uint64
	recvErr        error
}

var errRandom = errors.New("the handler's error")

func newRandomGrid(t *testing.T, seed uint64) *randomGrid {
	g := &randomGrid{t: t, seed: seed}
	for i := range g.streams {
		g.streams[i] = &randomStream{number: uint64(i)}
	}
	r := rand.New(rand.NewPCG(seed, 0))
	in, out := r.IntN(4), 1+r.IntN(4)
	g.c = gridtest.NewCluster(t, 2,
		gridtest.WithConfig(func(i int, cfg *gridnode.Config) { cfg.Window = 128 << 10 }),
		gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
			return m.RegisterMux(hRandom, gridnode.MuxHandler{InCapacity: in, OutCapacity: out, Handle: g.handle})
		}))
	return g
}

// run opens streams from both sides, waits for them all, and checks.
func (g *randomGrid) run() {
	var callers sync.WaitGroup
	for _, s := range g.streams {
		callers.Go(func() { g.call(s) })
	}
	callers.Wait()
	synctest.Wait() // handlers have returned
	for _, s := range g.streams {
		g.check(s)
	}
	for from := range 2 {
		st := g.c.Conn(from, 1-from).Stats()
		if n := st.Calls + st.Streams + st.ServingCalls + st.ServingStreams + st.HeldBytes + st.QueuedBytes; n != 0 || st.Sessions != 1 {
			g.t.Errorf("node %d is not at rest: %+v", from, st)
		}
		if n := g.c.Node(from).ServedMuxes(); n != 0 {
			g.t.Errorf("node %d counts %d muxes", from, n)
		}
	}
}

// source gives each goroutine of a stream random numbers of its own.
func (g *randomGrid) source(s *randomStream, who uint64) *rand.Rand {
	return rand.New(rand.NewPCG(g.seed, s.number<<8|who))
}

// message is numbered, and of random size: mostly small, sometimes bulk or fragments.
func message(r *rand.Rand, n uint64) []byte {
	size := 8 + r.IntN(200)
	switch r.IntN(10) {
	case 0:
		size = 5_000 + r.IntN(50_000)
	case 1:
		size = 65_537 + r.IntN(200_000)
	}
	msg := make([]byte, size)
	binary.BigEndian.PutUint64(msg, n)
	msg[size-1] = byte(size)
	if size == 8 {
		binary.BigEndian.PutUint64(msg, n)
	}
	return msg
}

// take checks that a message is the next one, and whole.
func (g *randomGrid) take(s *randomStream, e *randomEnd, msg []byte) {
	if len(msg) < 8 || binary.BigEndian.Uint64(msg) != e.received || len(msg) > 8 && msg[len(msg)-1] != byte(len(msg)) {
		g.t.Errorf("stream %d: message %d is out of order or damaged: %d bytes", s.number, e.received, len(msg))
	}
	e.received++
}

func (g *randomGrid) handle(ctx context.Context, st *gridnode.MuxServer) error {
	s := g.streams[binary.BigEndian.Uint64(st.Payload())]
	r := g.source(s, 1)
	s.result = g.serve(ctx, r, s, st)
	s.returned = true
	if s.panics = r.IntN(12) == 0; s.panics {
		panic("at random")
	}
	return s.result
}

// serve sends and receives at random until it has had enough.
func (g *randomGrid) serve(ctx context.Context, r *rand.Rand, s *randomStream, st *gridnode.MuxServer) error {
	for {
		switch n := r.IntN(20); {
		case n == 0:
			return nil
		case n == 1:
			return errRandom
		case n == 2:
			pause(ctx, r)
		case n < 12:
			if err := st.Send(ctx, message(r, s.handler.sent)); err != nil {
				return err
			}
			s.handler.sent++
		default:
			limited, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(20))*time.Millisecond)
			msg, err := st.Recv(limited)
			cancel()
			switch {
			case err == nil:
				g.take(s, &s.handler, msg)
			case limited.Err() != nil && ctx.Err() == nil: // the peer is slow: never mind
			default:
				if s.handler.recvErr = err; err != io.EOF {
					return err
				}
			}
		}
	}
}

func pause(ctx context.Context, r *rand.Rand) {
	select {
	case <-time.After(time.Duration(r.IntN(30)) * time.Millisecond): // the bubble's time
	case <-ctx.Done():
	}
}

// call opens the stream, sends and receives at random, and reads to its end.
func (g *randomGrid) call(s *randomStream) {
	r := g.source(s, 2)
	from := int(s.number % 2)
	ctx, cancel := context.WithCancel(g.t.Context())
	if r.IntN(3) == 0 {
		ctx, cancel = context.WithTimeout(g.t.Context(), time.Duration(1+r.IntN(200))*time.Millisecond)
	}
	defer cancel()
	payload := message(r, s.number)
	st, err := g.c.Conn(from, 1-from).OpenMux(ctx, hRandom, payload)
	if err != nil {
		s.caller.recvErr, s.cancelled = err, ctx.Err() != nil
		return
	}
	var sending sync.WaitGroup
	sending.Go(func() { g.sendAll(ctx, s, st) })
	for s.caller.recvErr == nil {
		switch n := r.IntN(60); {
		case n == 0:
			s.cancelled = true
			st.Cancel(nil)
		case n == 1:
			s.cancelled = true
			cancel()
		case n < 6:
			pause(ctx, r)
		}
		msg, err := st.Recv(context.Background())
		if err != nil {
			s.caller.recvErr = err
			break
		}
		g.take(s, &s.caller, msg)
	}
	sending.Wait()
	s.cancelled = s.cancelled || ctx.Err() != nil
	if _, again := st.Recv(context.Background()); again != s.caller.recvErr {
		g.t.Errorf("stream %d ends twice: %v, then %v", s.number, s.caller.recvErr, again)
	}
}

// sendAll sends at random, and half-closes or not.
func (g *randomGrid) sendAll(ctx context.Context, s *randomStream, st *gridnode.MuxClient) {
	r := g.source(s, 3)
	for range r.IntN(40) {
		if st.Send(ctx, message(r, s.caller.sent)) != nil {
			return
		}
		s.caller.sent++
		if r.IntN(5) == 0 {
			pause(ctx, r)
		}
	}
	if r.IntN(2) == 0 {
		s.halfClosed = st.CloseSend() == nil
	}
}

// check compares what the two ends saw.
func (g *randomGrid) check(s *randomStream) {
	report := func(format string, args ...any) {
		g.t.Errorf("stream %d: %s; %+v", s.number, fmt.Sprintf(format, args...), *s)
	}
	if s.caller.recvErr == nil {
		report("it has no end")
	}
	if s.caller.received > s.handler.sent+1 || s.handler.received > s.caller.sent+1 {
		report("more came than was sent") // a Send that was cut off may have got through
	}
	if s.handler.recvErr == io.EOF && (!s.halfClosed || s.handler.received != s.caller.sent) {
		report("the handler saw a clean end that was none")
	}
	if s.caller.recvErr == io.EOF && (!s.returned || s.result != nil || s.panics || s.caller.received != s.handler.sent) {
		report("truncation as success")
	}
	switch {
	case s.cancelled || s.caller.recvErr == io.EOF:
	case s.panics && !errors.Is(s.caller.recvErr, gridnode.ErrPanic):
		report("a panic arrives as %v", s.caller.recvErr)
	case s.caller.received != s.handler.sent:
		report("items are missing before the error")
	case !s.panics && s.result == errRandom && s.caller.recvErr.Error() != "remote: "+errRandom.Error():
		report("the handler's error arrives as %v", s.caller.recvErr)
	}
}
