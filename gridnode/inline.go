package gridnode

import (
	"fmt"

	"github.com/actorgrid/actorgrid/frames"
)

// RegisterSingleInline is RegisterSingle for a handler that takes microseconds and never
// waits. It is called where its request is read, which saves a worker, and the copy and
// the garbage of each request. While it runs nothing is read from that connection, nor
// from those that share its poller: it must do no I/O, wait for no lock that is held for
// long, call nothing of this package, and not end its goroutine.
//
// req, which the handler may change, and ctx are lent to it until it returns; the response
// may lie in req. ctx has the caller's name and no deadline: there is no time for one.
// A request larger than 64 KiB, or one whose answer would have to wait, gets a worker and a
// context of its own.
func (m *Manager) RegisterSingleInline(id HandlerID, h SingleHandler, subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	return m.registerSingle(id, &handler{single: h, lends: true, inline: true}, subroute)
}

// serveInline calls the handler of a request, if it was registered for that, and reports
// whether it has. The reader calls it.
func (s *session) serveInline(f *frames.Frame) bool {
	h := s.node.handlers.at(f.Target)
	if h == nil || !h.inline || !s.uncrowded() {
		return false
	}
	resp, err := s.callSingle(h, s.conn.base, f.Payload)
	if err == nil {
		err = s.checkResponse(resp)
	}
	switch {
	case err != nil:
		code, text := statusOf(err)
		s.control(&frames.Frame{Op: frames.OpStatus, Mux: f.Mux, Code: code, Text: []byte(text)})
	case !s.replyNow(f.Mux, resp):
		s.replyLater(h, f, resp)
	}
	return true
}

// uncrowded reports whether a small answer could be queued now.
func (s *session) uncrowded() bool {
	if s.admitNow(0) != nil {
		return false
	}
	s.mu.Unlock()
	return true
}

// replyNow sends a response if that is possible in one piece and without waiting.
func (s *session) replyNow(id uint64, resp []byte) bool {
	if len(resp) > fragmentSize || !s.window.TryTakeN(reserved(len(resp))) {
		return false
	}
	if s.admitNow(len(resp)) != nil {
		s.window.Return(reserved(len(resp)))
		return false
	}
	flush := s.out.append(s, &frames.Frame{Op: frames.OpReply, Mux: id, Payload: resp})
	s.mu.Unlock()
	s.flush(flush)
	return true
}

// replyLater has a worker send a copy of a response that replyNow could not. The call is
// registered for that time like one whose handler runs.
func (s *session) replyLater(h *handler, f *frames.Frame, resp []byte) {
	c := &servedSingle{s: s, h: h, id: f.Mux, req: h.take(resp)}
	c.ctx.Init(s.conn.base, deadlineAfter(s.wire.LastRead(), f.Timeout))
	err := s.register(func() { s.singles.put(c.id, c) })
	if err == nil && s.node.pool.Continue((*lateReply)(c)) != nil {
		s.forgetSingle(c.id)
		err = ErrClosed
	}
	if err != nil {
		// Not as overloaded: that would say that the handler has not run.
		s.refuse(f.Mux, errorf(CodeInternal, "no room for the response: %v", err))
	}
}

// lateReply is a single that has been served: its req is the response.
type lateReply servedSingle

// Run runs on a worker of the pool.
func (l *lateReply) Run() {
	c := (*servedSingle)(l)
	defer c.finish()
	c.reply(c.req)
}
