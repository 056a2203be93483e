package gridnode

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// servedSingle is one single on the serving side. It runs as a task of the node's
// pool; its context is part of it and costs nothing until somebody waits for it.
// It is not pooled: the handler may keep ctx.
type servedSingle struct {
	ctx actor.Context
	s   *session
	h   *handler
	id  uint64
	req []byte // the handler's, unless it is lent: then it goes back after the answer
}

// onRequest starts the handler of a new single, or refuses it.
func (s *session) onRequest(f *frames.Frame) error {
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
		if s.serveInline(f) {
			return nil
		}
		if c := s.newSingle(f); c != nil {
			c.req = c.h.take(f.Payload)
			s.serveSingle(c, deadlineAfter(s.wire.LastRead(), f.Timeout))
		}
		return nil
	}
	a, complete, err := s.assemble(f)
	if err != nil {
		return s.refuse(f.Mux, err)
	}
	if !complete {
		return s.known(f.Mux)
	}
	if c := s.newSingle(&a.first); c != nil {
		c.req = a.buf
		s.serveSingle(c, deadlineAfter(a.came, a.first.Timeout))
	}
	return nil
}

// newSingle returns the call that f opens, or refuses it and returns nil.
func (s *session) newSingle(f *frames.Frame) *servedSingle {
	h := s.node.handlers.at(f.Target)
	if h == nil || h.single == nil {
		s.refuse(f.Mux, errorf(CodeUnknownHandler, "unknown handler: no single with index %d", f.Target))
		return nil
	}
	return &servedSingle{s: s, h: h, id: f.Mux}
}

// serveSingle registers the call, then starts its handler.
func (s *session) serveSingle(c *servedSingle, deadline time.Time) {
	if !s.hold(len(c.req)) {
		s.refuse(c.id, errorf(CodeOverloaded, "overloaded: receive budget of %d bytes", s.node.cfg.ReceiveBudget))
		return
	}
	c.ctx.Init(s.conn.base, deadline)
	if err := s.register(func() { s.singles.put(c.id, c) }); err != nil {
		s.release(len(c.req))
		s.refuse(c.id, err)
		return
	}
	if s.node.pool.Submit(c) != nil {
		s.forgetSingle(c.id)
		s.release(len(c.req))
		s.refuse(c.id, errorf(CodeOverloaded, "overloaded: no worker free"))
	}
}

// deadlineAfter turns the time remaining that came over the wire at a time on
// wsnet's clock into a deadline; zero if there is none. The reader has looked at the
// clock for the whole read: that saves a look per call.
func deadlineAfter(came time.Duration, microseconds uint64) time.Time {
	const most = uint64(1<<61) / uint64(time.Microsecond)
	if microseconds == 0 {
		return time.Time{}
	}
	return wsnet.Time(came + time.Duration(min(microseconds, most))*time.Microsecond)
}

// register counts a new mux against the limits and puts it into its table.
func (s *session) register(insert func()) error {
	if s.node.muxes.Add(1) > int64(s.node.cfg.MaxMuxes) {
		s.node.muxes.Add(-1)
		return errorf(CodeOverloaded, "overloaded: %d muxes on this node", s.node.cfg.MaxMuxes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		s.node.muxes.Add(-1)
		return s.err
	case s.singles.len()+s.servers.len() >= s.node.cfg.MaxMuxesPerPeer:
		s.node.muxes.Add(-1)
		return errorf(CodeOverloaded, "overloaded: %d muxes of one peer", s.node.cfg.MaxMuxesPerPeer)
	}
	insert()
	return nil
}

// forgetSingle removes a served single and reports whether it was still there: if
// not, the session has ended and nobody waits for a reply.
func (s *session) forgetSingle(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forgetSingleLocked(id)
}

func (s *session) forgetSingleLocked(id uint64) bool {
	if s.singles.take(id) == nil {
		return false
	}
	s.node.muxes.Add(-1)
	return true
}

// refuse answers a mux that was not started. A protocol error is passed on and
// ends the session instead.
func (s *session) refuse(id uint64, err error) error {
	if e, ok := err.(*Error); ok && e.Code == CodeProtocol {
		return err
	}
	code, text := statusOf(err)
	s.control(&frames.Frame{Op: frames.OpStatus, Mux: id, Code: code, Text: []byte(text)})
	return nil
}

// Run calls the handler and sends its answer. It runs on a worker of the pool.
func (c *servedSingle) Run() {
	var resp []byte
	var err error
	returned := false
	defer func() {
		if !returned {
			err = c.s.node.panicked(c.h, c.s.conn.remote, goexit)
		}
		c.answer(resp, err)
		c.finish()
	}()
	resp, err = c.s.callSingle(c.h, &c.ctx, c.req)
	returned = true
}

// goexit stands for the value of the panic where there was none: the handler has ended
// its goroutine, and only deferred calls run.
const goexit = "runtime.Goexit was called"

// answer ends the call with the handler's response or error.
func (c *servedSingle) answer(resp []byte, err error) {
	c.s.release(len(c.req))
	if err == nil {
		err = c.s.checkResponse(resp)
	}
	if err != nil {
		c.replyError(err)
		return
	}
	c.reply(resp)
}

// finish ends the call, whose response has been copied or is not needed.
func (c *servedSingle) finish() {
	c.ctx.Finish()
	if c.h.lends {
		Recycle(c.req)
	}
}

// callSingle calls a handler and turns a panic, also one of the error that it returns,
// into its caller's error.
func (s *session) callSingle(h *handler, ctx context.Context, req []byte) (resp []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, s.node.panicked(h, s.conn.remote, v)
		}
	}()
	resp, err = h.single(ctx, req)
	return resp, ranInto(err)
}

// checkResponse returns the error of a response that is too large.
func (s *session) checkResponse(resp []byte) error {
	if len(resp) > s.maxMessage() {
		return s.tooLarge("response", resp)
	}
	return nil
}

// panicked logs a handler's panic with its stack and makes the caller's error.
func (m *Manager) panicked(h *handler, peer string, v any) error {
	line := &panicLine{m, h, peer, fmt.Sprint(v), debug.Stack()}
	if h.inline {
		_ = m.pool.Submit(line) // a reader cannot wait for the log; too many lines are dropped
	} else {
		line.Run()
	}
	return errorf(CodeInternal, "handler %d panicked: %v", h.key.id, v)
}

type panicLine struct {
	node  *Manager
	h     *handler
	peer  string
	value string // of the panic
	stack []byte
}

func (l *panicLine) Run() {
	l.node.log.Error("handler panicked", "handler", l.h.key.id, "subroute", l.h.key.route, "peer", l.peer, "panic", l.value, "stack", string(l.stack))
}

// reply sends the response. It waits for room in the queue in this goroutine.
func (c *servedSingle) reply(resp []byte) {
	s := c.s
	f := frames.Frame{Op: frames.OpReply, Mux: c.id}
	if len(resp) <= bulkSize {
		c.replySmall(&f, resp)
		return
	}
	if err := s.send(&c.ctx, &f, resp); err != nil {
		c.replyError(err)
		return
	}
	s.forgetSingle(c.id)
}

// replySmall is reply with one lock for the table and the queue.
func (c *servedSingle) replySmall(f *frames.Frame, resp []byte) {
	s := c.s
	if s.admit(context.Background(), len(resp)) != nil {
		return // the session has ended, and with it the call
	}
	f.Payload = resp
	// While it is still in the table: with one other call, that one's reply is likely to
	// come and share the write. Two callers had 1.6 writes a call, and have 1.1.
	flush := s.out.append(s, f)
	s.forgetSingleLocked(c.id)
	s.mu.Unlock()
	s.flush(flush)
}

// replyError ends the call with an error, also after some fragments of a response.
func (c *servedSingle) replyError(err error) {
	if c.s.forgetSingle(c.id) {
		code, text := statusOf(err)
		c.s.control(&frames.Frame{Op: frames.OpStatus, Mux: c.id, Code: code, Text: []byte(text)})
	}
}
