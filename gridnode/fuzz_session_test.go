package gridnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// fuzzPatience is how long anything may take that must not wait for ever.
const fuzzPatience = 20 * time.Second

// FuzzSessionServer makes frames out of the input arrive at a session whose peer has
// dialled, and which mostly serves.
func FuzzSessionServer(f *testing.F) {
	seedSessions(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzzSession(t, input, func(s *session) { s.self, s.nextID = false, 2 })
	})
}

// FuzzSessionClient is the same for a session that has dialled; local calls and streams
// are part of the input too.
func FuzzSessionClient(f *testing.F) {
	seedSessions(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzzSession(t, input, func(s *session) { s.self, s.nextID = true, 1 })
	})
}

// seedSessions adds every kind of step on its own, some at length, and noise.
func seedSessions(f *testing.F) {
	for step := range byte(16) {
		f.Add([]byte{step, 0, 1, 2, 3})
		f.Add([]byte{12, 0, 13, 0, step, 0, 0, 0, step, 1, 1, 1, step, 2, 4, 0})
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		seed := make([]byte, 10*(n+1))
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		f.Add(seed)
	}
}

// fuzzedSession is a session with its peer and its users. Locally started operations
// must end without their contexts' help.
type fuzzedSession struct {
	t       *testing.T
	s       *session
	w       *fakeWire
	in      fuzzInput
	rest    map[uint64]int // bytes to come of messages that have begun
	local   sync.WaitGroup
	streams []*MuxClient
}

func fuzzSession(t *testing.T, input []byte, side func(*session)) {
	s, w := live(t, Config{MaxMessage: 200_000, MaxMuxesPerPeer: 40, ReceiveBudget: 400_000, Window: 2 * fragmentSize}, fuzzHandlers)
	side(s)
	s.conn.receive(connEvent{kind: eventAttached, session: s})
	z := &fuzzedSession{t: t, s: s, w: w, in: input, rest: map[uint64]int{}}
	err := error(nil)
	for len(z.in) > 0 && err == nil {
		if err = z.step(); err == nil {
			err = w.err()
		}
	}
	if err == nil {
		err = z.finishInPeace()
	}
	if err != nil {
		s.Closed(err)
	}
	if !waitFor(func() { z.local.Wait() }) {
		t.Fatalf("local calls go on after the end (%v):\n%s", err, allStacks())
	}
	z.wantRest(err)
	if err == nil {
		s.Closed(nil)
	}
	awaitLoss(t, s)
}

// awaitLoss waits until the connection of a session that was attached and has ended
// knows of it.
func awaitLoss(t *testing.T, s *session) {
	for deadline := time.Now().Add(fuzzPatience); s.conn.State() == StateConnected; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the connection never learns of the end of its session")
		}
	}
}

// until polls until ok.
func (z *fuzzedSession) until(what string, ok func() bool) {
	for deadline := time.Now().Add(fuzzPatience); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			z.t.Fatalf("never: %s; %d muxes, %d bytes held, %d messages begun\n%s",
				what, z.s.node.muxes.Load(), z.s.held.Load(), len(z.s.assembling), allStacks())
		}
	}
}

// fuzzHandlers has one of each kind; what they return does not matter.
func fuzzHandlers(m *Manager) error {
	return errors.Join(echoing(m),
		m.RegisterSingle(2, func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }),
		m.RegisterSingle(3, func(ctx context.Context, req []byte) ([]byte, error) { return make([]byte, 150_000), nil }),
		m.RegisterSingle(4, func(ctx context.Context, req []byte) ([]byte, error) { panic("fuzz") }),
		m.RegisterMux(5, MuxHandler{InCapacity: 2, OutCapacity: 2, Handle: func(ctx context.Context, st *MuxServer) error {
			for msg, err := range st.All(ctx) {
				if err == nil {
					err = st.Send(ctx, msg)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}}),
		m.RegisterMux(6, MuxHandler{InCapacity: 1, Handle: func(ctx context.Context, st *MuxServer) error { <-ctx.Done(); return nil }}),
		m.RegisterMux(7, MuxHandler{Handle: func(ctx context.Context, st *MuxServer) error { return errors.New(string(st.Payload())) }}),
	)
}

// step does one thing of the input; an error has ended the session.
func (z *fuzzedSession) step() error {
	switch kind := z.in.next() % 16; kind {
	case 12:
		n := z.in.size()
		z.run(func() { _, _ = z.s.request(context.Background(), 0, make([]byte, n)) })
	case 13:
		return z.open()
	case 14:
		z.useStream()
	case 15: // as it is
		n := min(int(z.in.next()), len(z.in))
		if n < 200 {
			return arrive(z.s, frames.Frame{Op: frames.OpPing, Credit: uint64(n)})
		}
		body := append([]byte(nil), z.in[:n]...)
		z.in = z.in[n:]
		err := z.s.Message(body)
		if err == nil {
			z.s.BatchEnd()
		}
		return err
	default:
		return arrive(z.s, z.frame(frames.OpRequest+frames.Op(kind)%11))
	}
	return nil
}

// run does something locally that may wait.
func (z *fuzzedSession) run(do func()) { z.local.Go(do) }

// open opens a stream, which does not wait: its payload is small.
func (z *fuzzedSession) open() error {
	in, out := int(z.in.next()%4), 1+int(z.in.next()%4)
	st, err := z.s.openMux(context.Background(), remoteHandler{in: in, out: out}, nil, nil)
	if err == nil {
		z.streams = append(z.streams, st)
	}
	return nil
}

func (z *fuzzedSession) useStream() {
	if len(z.streams) == 0 {
		return
	}
	st := z.streams[int(z.in.next())%len(z.streams)]
	switch z.in.next() % 4 {
	case 0:
		n := z.in.size()
		z.run(func() { _ = st.Send(context.Background(), make([]byte, n)) })
	case 1:
		z.run(func() { _, _ = st.Recv(context.Background()) })
	case 2:
		_ = st.CloseSend()
	case 3:
		st.Cancel(nil)
	}
}

// frame makes a frame that is valid more often than not.
func (z *fuzzedSession) frame(op frames.Op) frames.Frame {
	flags, choice := z.in.next(), z.in.next()
	f := frames.Frame{Op: op, Flags: frames.Flags(flags % 4), Target: uint32(choice % 8), Credit: uint64(choice%5) + 1, Code: Code(flags % 16)}
	if flags > 250 {
		f.Credit = 1 << (flags % 64)
	}
	if f.Mux = z.mux(f, choice); f.Mux == 0 && op != frames.OpCredit {
		return frames.Frame{Op: frames.OpPong}
	}
	switch op {
	case frames.OpRequest, frames.OpReply, frames.OpOpen, frames.OpData:
		f.Payload = make([]byte, z.in.size()%(fragmentSize+1))
		z.fragment(&f, choice)
	case frames.OpStatus, frames.OpCancel, frames.OpGoaway:
		f.Text = []byte("text")
	}
	return f
}

// fragment makes most fragments add up.
func (z *fuzzedSession) fragment(f *frames.Frame, choice byte) {
	if f.Flags == frames.FlagMore {
		f.Size = uint64(len(f.Payload)) * uint64(1+choice%4)
		z.rest[f.Mux] = int(f.Size) - len(f.Payload)
	}
	rest, begun := z.rest[f.Mux]
	if f.Flags&frames.FlagCont == 0 || !begun || choice&64 != 0 {
		return
	}
	f.Payload = make([]byte, min(rest, fragmentSize))
	if z.rest[f.Mux] -= len(f.Payload); z.rest[f.Mux] > 0 {
		f.Flags |= frames.FlagMore
		return
	}
	f.Flags &^= frames.FlagMore
	delete(z.rest, f.Mux)
}

// mux chooses an ID: mostly one that makes sense for the op; 0 if there is none.
func (z *fuzzedSession) mux(f frames.Frame, choice byte) uint64 {
	own, peers := uint64(2), uint64(1) // first IDs
	if z.s.self {
		own, peers = 1, 2
	}
	last := z.s.lastID
	opens := (f.Op == frames.OpRequest || f.Op == frames.OpOpen) && f.Flags&frames.FlagCont == 0
	switch {
	case choice == 255:
		return uint64(z.in.next()) + 1
	case opens && last == 0:
		return peers
	case opens:
		return last + 2
	case f.Op == frames.OpCredit && choice%8 == 0:
		return 0
	case f.Op == frames.OpReply || f.Op == frames.OpStatus || f.Op == frames.OpData && choice&8 != 0:
		z.s.mu.Lock()
		last, peers = z.s.nextID-2, own
		if z.s.nextID == own {
			last = 0
		}
		z.s.mu.Unlock()
	}
	if last == 0 {
		return 0
	}
	back := 2 * uint64(choice>>4&3)
	return max(last, peers+back) - back
}

// finishInPeace ends every mux of a session that has survived, as an honest peer could.
func (z *fuzzedSession) finishInPeace() error {
	if err := arrive(z.s, frames.Frame{Op: frames.OpCredit, Credit: 1 << 30}); err != nil { // for fragments that wait
		return err
	}
	for id := z.s.lastID; id > 0 && id <= z.s.lastID; id -= 2 {
		if err := arrive(z.s, frames.Frame{Op: frames.OpCancel, Mux: id, Code: CodeCanceled}); err != nil {
			return fmt.Errorf("the peer's cancel of mux %d: %w", id, err)
		}
	}
	for _, st := range z.streams {
		st.Cancel(nil)
		if err := arrive(z.s, frames.Frame{Op: frames.OpStatus, Mux: st.id, Code: CodeCanceled}); err != nil {
			return fmt.Errorf("the status of mux %d: %w", st.id, err)
		}
		for err := error(nil); err == nil; {
			_, err = st.Recv(context.Background())
			if err == io.EOF {
				break
			}
		}
	}
	// Calls that are still being sent get an answer as soon as they have an ID.
	settled := make(chan struct{})
	go func() { z.local.Wait(); close(settled) }() // fuzzSession waits for the same
	for deadline := time.Now().Add(fuzzPatience); time.Now().Before(deadline); runtime.Gosched() {
		select {
		case <-settled:
			return nil
		default:
		}
		if err := z.answerAll(); err != nil {
			return err
		}
	}
	return errors.New("local calls are not over")
}

func (z *fuzzedSession) answerAll() error {
	z.s.mu.Lock()
	var ids []uint64
	for id := range z.s.calls.all() {
		ids = append(ids, id)
	}
	z.s.mu.Unlock()
	for _, id := range ids {
		if err := arrive(z.s, frames.Frame{Op: frames.OpStatus, Mux: id, Code: CodeApplication}); err != nil {
			return fmt.Errorf("the answer to mux %d: %w", id, err)
		}
	}
	return nil
}

// wantRest wants that nothing is left: after a loss no mux, after an end in peace not a
// byte either.
func (z *fuzzedSession) wantRest(lost error) {
	z.until(fmt.Sprintf("rest; lost with %v", lost), func() bool {
		return z.s.node.muxes.Load() == 0 && (lost != nil || z.s.held.Load() == 0)
	})
	z.s.mu.Lock()
	defer z.s.mu.Unlock()
	if n := z.s.calls.len() + z.s.clients.len() + z.s.singles.len() + z.s.servers.len(); n != 0 {
		z.t.Errorf("%d muxes are left in the tables; lost with %v", n, lost)
	}
	if lost == nil && len(z.s.assembling) != 0 {
		z.t.Errorf("%d messages are begun for ever", len(z.s.assembling))
	}
}

func waitFor(f func()) bool {
	done := make(chan struct{})
	go func() { f(); close(done) }() // ends with f; if it does not, the test fails
	select {
	case <-done:
		return true
	case <-time.After(fuzzPatience):
		return false
	}
}

func allStacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// fuzzInput gives bytes, zeros at its end.
type fuzzInput []byte

func (in *fuzzInput) next() byte {
	if len(*in) == 0 {
		return 0
	}
	b := (*in)[0]
	*in = (*in)[1:]
	return b
}

// size is a payload's length, often at an edge.
func (in *fuzzInput) size() int {
	edges := [...]int{0, 1, 100, bulkSize, bulkSize + 1, 20_000, fragmentSize, fragmentSize + 1, 150_000}
	return edges[int(in.next())%len(edges)]
}
