package gridnode

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/frames"
)

// MuxServer is the serving side of a stream: an actor whose goroutine is the
// handler's, and whose mailbox is what the caller has sent.
type MuxServer struct {
	mux
	ctx     actor.Context
	h       *handler
	payload []byte
	noMore  bool // reader: the caller has half-closed
}

// Payload returns the initial payload; it belongs to the handler.
func (st *MuxServer) Payload() []byte { return st.payload }

// Send sends one message to the caller. It waits while OutCapacity is in flight,
// until ctx or the stream ends. msg may be reused after the return.
func (st *MuxServer) Send(ctx context.Context, msg []byte) error {
	err := st.send(ctx, msg)
	if err != nil {
		st.endContext()
	}
	return err
}

// Recv returns the caller's next message; it belongs to the handler. It returns
// io.EOF after the caller's CloseSend, on which a handler that has done its work returns
// nil: io.EOF would be an error to the caller. It returns the cause when the stream is
// cancelled or lost. With InCapacity 0 it waits for that end.
func (st *MuxServer) Recv(ctx context.Context) ([]byte, error) {
	msg, err := st.recv(ctx)
	if err != nil {
		st.endContext()
	}
	return msg, err
}

// All returns the caller's messages in order. An error other than the clean end is
// yielded as the last pair.
func (st *MuxServer) All(ctx context.Context) iter.Seq2[[]byte, error] { return all(ctx, st.Recv) }

// onOpen starts the handler of a new stream, or refuses it.
func (s *session) onOpen(f *frames.Frame) error {
	if err := s.received(f); err != nil {
		return err
	}
	if f.Flags&frames.FlagCont == 0 {
		if err := s.accept(f.Mux); err != nil {
			return err
		}
	}
	if f.Flags == 0 {
		if err := s.fits(f); err != nil {
			return s.refuse(f.Mux, err)
		}
		s.serveStream(f, cloneBytes(f.Payload), deadlineAfter(s.wire.LastRead(), f.Timeout))
		return nil
	}
	a, complete, err := s.assemble(f)
	if err != nil {
		return s.refuse(f.Mux, err)
	}
	if !complete {
		return s.known(f.Mux)
	}
	s.serveStream(&a.first, a.buf, deadlineAfter(a.came, a.first.Timeout))
	return nil
}

// serveStream registers the stream, then starts its handler.
func (s *session) serveStream(f *frames.Frame, payload []byte, deadline time.Time) {
	h := s.node.handlers.at(f.Target)
	if h == nil || h.mux == nil {
		s.refuse(f.Mux, errorf(CodeUnknownHandler, "unknown handler: no stream with index %d", f.Target))
		return
	}
	st := &MuxServer{h: h, payload: payload}
	st.init(s, f.Mux, h.in, int(min(f.Credit, maxStreamCapacity)), st.poison)
	if h.channel {
		st.lane = newRequests(h.room)
	}
	st.ctx.Init(s.conn.base, deadline)
	if !s.hold(len(payload)) {
		s.refuse(f.Mux, errorf(CodeOverloaded, "overloaded: receive budget of %d bytes", s.node.cfg.ReceiveBudget))
		return
	}
	if err := s.register(func() { s.servers.put(f.Mux, st) }); err != nil {
		s.release(len(payload))
		s.refuse(f.Mux, err)
		return
	}
	if s.node.pool.Submit((*serveTask)(st)) != nil {
		s.release(len(payload))
		s.forgetServer(f.Mux)
		s.refuse(f.Mux, errorf(CodeOverloaded, "overloaded: no worker free"))
	}
}

// serveTask is a stream as a task of the pool: Run is not for those who have a MuxServer.
type serveTask MuxServer

// Run calls the handler and ends the stream with its status. It runs on a worker of
// the pool for as long as the handler does.
func (t *serveTask) Run() {
	st := (*MuxServer)(t)
	var err error
	returned := false
	defer func() {
		if !returned {
			err = st.s.node.panicked(st.h, st.s.conn.remote, goexit)
		}
		st.end(err)
	}()
	err = st.handle()
	returned = true
}

// end ends the stream with what the handler returned.
func (st *MuxServer) end(err error) {
	st.ctx.Finish()
	cause := err
	if cause == nil {
		cause = ErrClosed
	}
	st.poisonIn(cause)
	st.endSends(cause)
	known := st.s.forgetServer(st.id)
	st.discard()
	st.s.release(len(st.payload))
	if known {
		code, text := statusOf(err)
		st.s.control(&frames.Frame{Op: frames.OpStatus, Mux: st.id, Code: code, Text: []byte(text)})
	}
}

// forgetServer removes a served stream and reports whether it was still there.
func (s *session) forgetServer(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.servers.take(id) == nil {
		return false
	}
	s.node.muxes.Add(-1)
	return true
}

func (st *MuxServer) handle() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = st.s.node.panicked(st.h, st.s.conn.remote, v)
		}
	}()
	err = st.h.mux(&st.ctx, st)
	st.endContext()
	if end := st.ctx.Err(); end != nil && (err == nil || errors.Is(err, end)) {
		// A handler that gives up politely has still not finished: without this a
		// cancelled stream would look complete. And the caller gets the reason.
		err = context.Cause(&st.ctx)
	}
	return settle(err)
}

// endContext ends the context if poison has begun: whoever has seen one of the ends of a
// stream sees all.
func (st *MuxServer) endContext() {
	if cause := st.out.Cause(); cause != nil {
		st.ctx.Cancel(cause)
	}
}

// poison cancels the stream: it reaches a handler blocked in Recv or Send, and one
// busy in its own code through its context, whatever its queues hold.
func (st *MuxServer) poison(cause error) {
	// The context last: who has seen it end finds the others ended.
	st.endSends(cause)
	st.poisonIn(cause)
	st.ctx.Cancel(cause)
}
