package gridnode

import (
	"context"
	"io"
	"iter"
	"math"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/frames"
)

// MuxClient is the calling side of a stream. It needs no goroutine: Send and Recv
// run in their callers' goroutines, and may be called concurrently with each other.
// Several concurrent Send calls, or Recv calls, are safe; their order is undefined.
//
// The stream ends when Recv has returned an error: io.EOF after the handler
// returned nil, the handler's error, or what ended the stream before. Whoever stops
// earlier must call Cancel, or cancel the context given to OpenMux.
type MuxClient struct {
	mux
	takesInput bool
	stopWatch  func() bool // detaches from the context of OpenMux; under session.mu
	left       atomic.Bool // it has ended in order, and perhaps not all has been read

	sends     atomic.Int64 // Sends in progress, and lastSend
	closeSent atomic.Bool  // OpCloseSend is out
}

// lastSend in MuxClient.sends: CloseSend was called.
const lastSend = math.MinInt64

// openMux opens a stream on this session. in and out are the handler's capacities
// as the peer announced them. prepare, if not nil, gets the stream before its first
// message can come; session.mu is held.
func (s *session) openMux(ctx context.Context, t remoteHandler, payload []byte, prepare func(*MuxClient)) (*MuxClient, error) {
	if len(payload) > s.maxMessage() {
		return nil, s.tooLarge("payload", payload)
	}
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	f := frames.Frame{Op: frames.OpOpen, Target: t.index, Credit: uint64(t.out)}
	rest := cut(&f, payload)
	if err := s.reserve(ctx, len(f.Payload)); err != nil {
		return nil, err
	}
	if err := s.admit(ctx, len(f.Payload)); err != nil {
		s.window.Return(reserved(len(f.Payload)))
		return nil, s.unsent(ctx, err)
	}
	if err := s.usable(); err != nil {
		s.out.wake(s.node.cfg.QueueLimit) // the turn passes on
		s.mu.Unlock()
		s.window.Return(reserved(len(f.Payload)))
		return nil, err
	}
	st := &MuxClient{takesInput: t.in > 0}
	st.init(s, s.open(), t.out, t.in, st.breakOff)
	if prepare != nil {
		prepare(st)
	}
	s.clients.put(st.id, st)
	f.Mux, f.Timeout = st.id, s.timeLeft(ctx, nil)
	flush := s.out.append(s, &f)
	s.mu.Unlock()
	s.flush(flush)
	st.watch(ctx)
	// If the handler has refused or ended already, Recv tells.
	if err := s.sendRest(ctx, &f, rest, func() bool { return st.in.Cause() != nil }); err != nil {
		st.breakOff(err)
		return nil, st.sendError(ctx, err)
	}
	return st, nil
}

// watch makes the end of ctx cancel the stream, without a goroutine meanwhile.
func (st *MuxClient) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { st.Cancel(ended(ctx)) })
	st.s.mu.Lock()
	st.stopWatch = stop
	open := st.s.clients.get(st.id) == st
	st.s.mu.Unlock()
	if !open && st.in.Len() == 0 {
		stop()
	}
}

// Send sends one message to the handler. It waits while the handler's InCapacity
// is in flight, until ctx or the stream ends. msg may be reused after the return.
// What the handler has taken last, less than half of InCapacity, may still count, unless
// the handler waits in Send.
// Send returns an error if the handler takes no input, and after CloseSend. If the
// stream has ended Send returns its error, or io.EOF after a clean end.
func (st *MuxClient) Send(ctx context.Context, msg []byte) error {
	if !st.takesInput {
		return errorf(CodeProtocol, "send: the handler takes no input")
	}
	defer st.sendDone()
	if st.sends.Add(1) < 0 {
		return errorf(CodeClosed, "send after CloseSend")
	}
	return st.send(ctx, msg)
}

// sendDone makes the last of the Sends that CloseSend has found in progress tell the
// handler, so that their messages come before the half-close.
func (st *MuxClient) sendDone() {
	if st.sends.Add(-1) == lastSend {
		st.sendClose()
	}
}

func (st *MuxClient) sendClose() {
	if !st.closeSent.Swap(true) {
		st.s.control(&frames.Frame{Op: frames.OpCloseSend, Mux: st.id})
	}
}

// Recv returns the handler's next message; it belongs to the caller. At the end it
// returns io.EOF if the handler returned nil, else the error, each time. The end of
// ctx ends this Recv only, not the stream.
func (st *MuxClient) Recv(ctx context.Context) ([]byte, error) {
	msg, err := st.recv(ctx)
	if st.left.Load() && st.in.Len() == 0 {
		st.finish()
	}
	return msg, err
}

// All returns the messages in order. An error other than the clean end is yielded
// as the last pair.
func (st *MuxClient) All(ctx context.Context) iter.Seq2[[]byte, error] { return all(ctx, st.Recv) }

// CloseSend tells the handler that no more messages come; it may go on sending.
// Messages of a Send in progress come before it. It never waits, and does nothing the
// second time.
func (st *MuxClient) CloseSend() error {
	if !st.takesInput {
		return nil
	}
	before := st.sends.Or(lastSend)
	if before < 0 {
		return nil
	}
	if cause := st.in.Cause(); cause != nil && cause != io.EOF {
		return cause
	}
	if before == 0 {
		st.sendClose()
	}
	return nil
}

// Cancel ends the stream at once: Send and Recv return cause (context.Canceled if
// nil), and the handler's context is cancelled with its code and text. If the handler
// has ended already, what has arrived and was not read is dropped, and Recv returns
// cause for it; after the end it does nothing.
func (st *MuxClient) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	if !st.abort(cause) {
		st.in.Abandon(cause)
		st.discard()
		st.finish()
	}
}

// abort ends the stream from this side and tells the handler. It reports false if
// the stream has ended already, or is about to.
func (st *MuxClient) abort(cause error) bool {
	if !st.s.giveUp(st.id) {
		return false
	}
	st.endSends(cause) // first: who has seen the end in Recv cannot send any more
	st.poisonIn(cause)
	st.discard()
	st.finish() // behind it: see watch
	code, text := statusOf(cause)
	st.s.control(&frames.Frame{Op: frames.OpCancel, Mux: st.id, Code: code, Text: []byte(text)})
	return true
}

// breakOff is abort for a stream half of whose last message is out: the handler's
// side must forget that half even if the stream has ended.
func (st *MuxClient) breakOff(cause error) {
	st.abort(cause)
	code, text := statusOf(cause)
	st.s.control(&frames.Frame{Op: frames.OpCancel, Mux: st.id, Code: code, Text: []byte(text)})
}

// end is the handler's final status, the only clean end there is. What arrived
// before it is delivered before it.
func (st *MuxClient) end(code Code, text string) {
	if code == frames.CodeOK {
		st.endSends(io.EOF)
		st.closeIn(nil)
	} else {
		err := remoteError(code, text)
		st.endSends(err)
		st.closeIn(err)
	}
	// The context stays until all is read: who gives up by it must leave nothing.
	st.left.Store(true)
	if st.in.Len() == 0 {
		st.finish()
	}
}

// lose ends the stream with the session: what arrived is delivered, then cause.
func (st *MuxClient) lose(cause error) {
	st.finish()
	st.endSends(cause)
	st.closeIn(cause)
}

// finish detaches the stream from its context.
func (st *MuxClient) finish() {
	st.s.mu.Lock()
	stop := st.stopWatch
	st.s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// takeClient removes the stream with this ID; its caller owns its end.
func (s *session) takeClient(id uint64) *MuxClient {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients.take(id)
}

// giveUp is takeClient for an end that is not the peer's: half a message of it may be in
// the hands of the reader.
func (s *session) giveUp(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaveUp = true
	return s.clients.take(id) != nil
}
