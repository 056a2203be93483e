package gridnode

import (
	"context"
	"io"
	"iter"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/mailbox"
)

// mux is what both ends of a stream share: the mailbox of what has arrived, whose
// capacity is the credit granted to the peer, and the credit to send. The mailbox
// is the stream's only queue; whoever calls Recv is the actor that it feeds.
type mux struct {
	s    *session
	id   uint64
	in   mailbox.Mailbox[[]byte]
	lane lane           // past the mailbox, for a channel form; else nil. Set before the first message
	out  mailbox.Credit // messages that may be sent

	taken   atomic.Int64   // messages taken by Recv and not yet returned as credit
	sending mailbox.Credit // one token: the fragments of two messages never mix
	within  bool           // guarded by session.mu: a message is out in part
	waiting waitingSends   // to be ended with the stream
	ahead   atomic.Bool    // the last thing that was done is a send: another may follow
	broken  func(error)    // ends the stream from this side, with half a message sent
}

func (x *mux) init(s *session, id uint64, in, out int, broken func(error)) {
	x.s, x.id, x.broken = s, id, broken
	x.in.Init(in)
	x.out.Init(int64(out))
	x.sending.Init(1)
}

// send takes one credit, then sends the message in the caller's goroutine.
func (x *mux) send(ctx context.Context, msg []byte) error {
	if len(msg) > x.s.maxMessage() {
		return x.s.tooLarge("message", msg)
	}
	if err := x.takeCredit(ctx); err != nil {
		return x.sendError(ctx, err)
	}
	f := frames.Frame{Op: frames.OpData, Mux: x.id}
	var err error
	if len(msg) <= bulkSize {
		f.Payload = msg
		err = x.sendSmall(ctx, &f)
	} else {
		err = x.sendBulk(ctx, &f, msg)
	}
	if err != nil {
		x.out.Return(1) // the peer has no message to give it back for
		return x.sendError(ctx, err)
	}
	return nil
}

// takeCredit takes the credit of one message. Before it waits, the peer gets what is held
// back of its own: it may have to send before it reads.
func (x *mux) takeCredit(ctx context.Context) error {
	if x.out.TryTake() {
		return nil
	}
	x.giveBack()
	return x.out.Take(ctx)
}

// sendBulk sends one large message, whole or in fragments.
func (x *mux) sendBulk(ctx context.Context, f *frames.Frame, msg []byte) error {
	if err := x.sending.Take(ctx); err != nil {
		return err
	}
	defer x.sending.Return(1)
	until := x.until(ctx)
	defer until.stop()
	x.setWithin(len(msg) > fragmentSize)
	err := x.s.send(until, f, msg)
	if err != nil && f.Flags&frames.FlagCont != 0 {
		x.broken(x.sendError(ctx, err)) // half a message is out: nothing can follow it
	}
	x.setWithin(false)
	return err
}

func (x *mux) setWithin(within bool) {
	x.s.mu.Lock()
	x.within = within
	x.s.mu.Unlock()
}

// sendSmall sends one frame, behind the fragments of a message that is out in part. A
// sender that has just sent is likely to send again at once: then a worker flushes, so
// that many messages share a write. A flush in the sender would be a write for each:
// it alone could add to the batch.
func (x *mux) sendSmall(ctx context.Context, f *frames.Frame) error {
	s := x.s
	if err := x.admitSmall(ctx, len(f.Payload)); err != nil {
		return err
	}
	if x.within {
		s.mu.Unlock()
		if err := x.sending.Take(ctx); err != nil {
			return err
		}
		defer x.sending.Return(1)
		until := x.until(ctx)
		defer until.stop()
		return s.enqueue(until, f)
	}
	flush := s.out.append(s, f)
	s.mu.Unlock()
	if ahead := x.ahead.Swap(true); ahead && flush != flushNothing {
		s.handOverFlush()
		return nil
	}
	s.flush(flush)
	return nil
}

// admitSmall is session.admit, which ends with the stream too if it has to wait.
func (x *mux) admitSmall(ctx context.Context, n int) error {
	s := x.s
	if err := s.admitNow(n); err != errMustWait {
		return err
	}
	until := x.until(ctx)
	defer until.stop()
	return s.admit(until, n)
}

// sendError is the error of a send that failed: its context's end in its form, or the
// end of the stream. What the session says of a frame that did not leave is not said
// of the stream, which did.
func (x *mux) sendError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if cause := x.out.Cause(); cause != nil {
		return cause
	}
	if lost := x.s.lostWith(); lost != nil {
		return lost
	}
	return err
}

// recv returns the next message, and gives its credit back to the peer; see consumed.
func (x *mux) recv(ctx context.Context) ([]byte, error) {
	x.ahead.Store(false)
	msg, err := x.in.Get(ctx)
	if err != nil {
		// The end of ctx, or of the stream: it may have come meanwhile, or a message.
		var ok bool
		if msg, ok, err = x.in.TryGet(); err != nil {
			return nil, err
		}
		if !ok {
			return nil, ended(ctx)
		}
	}
	x.s.release(len(msg))
	x.consumed()
	return msg, nil
}

// consumed counts a message as taken, and returns credit half a window at a time: the
// sender has the other half meanwhile. With three quarters a message of 512 bytes took
// 10 to 20 % longer.
func (x *mux) consumed() {
	if x.taken.Add(1) >= (int64(x.in.Cap())+1)/2 {
		x.giveBack()
	}
}

// giveBack returns the credit of what has been taken.
func (x *mux) giveBack() {
	n := x.taken.Swap(0)
	if n == 0 || x.in.Cause() != nil {
		return // another has returned it, or the peer will send no more
	}
	x.s.control(&frames.Frame{Op: frames.OpCredit, Mux: x.id, Credit: uint64(n)})
}

// deliver puts an arrived frame into the mailbox; the reader calls it. A full
// mailbox is the peer's breach of its credit and ends this mux only.
func (x *mux) deliver(f *frames.Frame) error {
	msg, complete, err := x.assemble(f)
	if err != nil || !complete {
		return err
	}
	if x.lane != nil && x.direct(msg) {
		return nil
	}
	switch err := x.in.TryPut(msg); err {
	case nil:
		return nil
	case mailbox.ErrFull:
		x.s.release(len(msg))
		return errorf(CodeProtocol, "credit overrun: more than %d messages", x.in.Cap())
	default:
		x.s.release(len(msg)) // ended meanwhile
		return nil
	}
}

var errWithin = errorf(CodeProtocol, "message within the fragments of another")

// assemble returns the whole message that f completes; its bytes are held.
func (x *mux) assemble(f *frames.Frame) (msg []byte, complete bool, err error) {
	if f.Flags != 0 {
		a, complete, err := x.s.assemble(f)
		if err != nil || !complete {
			return nil, false, err
		}
		msg = a.buf
	} else if x.s.assembling[f.Mux] != nil {
		return nil, false, errWithin
	} else {
		if err := x.s.fits(f); err != nil {
			return nil, false, err
		}
		msg = cloneBytes(f.Payload)
	}
	if !x.s.hold(len(msg)) {
		return nil, false, overBudget("receive budget of %d bytes", x.s.node.cfg.ReceiveBudget)
	}
	return msg, true, nil
}

// discard gives the bytes of everything that nobody will take back to the budget.
func (x *mux) discard() {
	x.in.Drain(func(msg []byte) { x.s.release(len(msg)) })
}

// all is Recv as an iterator; the clean end is not yielded.
func all(ctx context.Context, recv func(context.Context) ([]byte, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			msg, err := recv(ctx)
			if err == io.EOF {
				return
			}
			if !yield(msg, err) || err != nil {
				return
			}
		}
	}
}

// stream returns the stream with this ID at either end, or nil.
func (s *session) stream(id uint64) *mux {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.clients.get(id); st != nil {
		return &st.mux
	}
	if st := s.servers.get(id); st != nil {
		return &st.mux
	}
	return nil
}

// onData hands a message to its stream.
func (s *session) onData(f *frames.Frame) error {
	if err := s.received(f); err != nil {
		return err
	}
	s.mu.Lock()
	client, server := s.clients.get(f.Mux), s.servers.get(f.Mux)
	s.mu.Unlock()
	switch {
	case client != nil:
		if err := client.deliver(f); err != nil {
			s.dropAssembly(f.Mux)
			client.abort(err)
		}
	case server != nil && server.noMore:
		s.dropAssembly(f.Mux)
		server.poison(errorf(CodeProtocol, "message after the half-close"))
	case server != nil:
		if err := server.deliver(f); err != nil {
			s.dropAssembly(f.Mux)
			server.poison(err)
		}
	default:
		if a := s.assembling[f.Mux]; a != nil && a.first.Op != frames.OpData {
			return protocolError("data within a message of %v", a.first.Op)
		}
		s.dropAssembly(f.Mux)
		return s.known(f.Mux)
	}
	return nil
}

// onCloseSend is the caller's half-close: the handler reads what is queued, then
// io.EOF.
func (s *session) onCloseSend(f *frames.Frame) error {
	s.mu.Lock()
	st := s.servers.get(f.Mux)
	s.mu.Unlock()
	if st == nil {
		return s.known(f.Mux)
	}
	if s.assembling[f.Mux] != nil {
		s.dropAssembly(f.Mux)
		st.poison(errorf(CodeProtocol, "half-close within a message"))
		return nil
	}
	st.noMore = true
	st.closeIn(nil)
	return nil
}
