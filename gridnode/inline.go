package gridnode

import (
	"fmt"

	"github.com/actorgrid/actorgrid/frames"
)

// RegisterSingleInline is RegisterSingle for a handler that takes microseconds and never
// waits. It is called where its request is read, which saves a worker, and the copy and
// the garbage of each request. While it runs nothing is read from that connection, nor
// from those that share its poller, and what this node sends over it waits; for as long as
// it does not return, no connection of the process may learn of its end. So it must do no
// I/O, take no lock that anybody may hold for long, or during a call to that peer, and
// call nothing of this package but Caller. It must not end its goroutine, which is the
// poller's: no runtime.Goexit, and no FailNow of a test.
//
// req, which the handler may change, and ctx are lent to it until it returns; the response
// may lie in req. ctx has the caller's name, no deadline and no end. While the queue to
// the caller is full, and for requests larger than 64 KiB, a worker calls the handler as
// it calls others.
func (m *Manager) RegisterSingleInline(id HandlerID, h SingleHandler, subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	return m.registerSingle(id, &handler{single: h, lends: true, inline: true}, subroute)
}

// inlineRun is how many inline handlers run before what has been queued is written, by
// whomever. With 64 instead of 256 a call of 512 callers took 5 % longer.
const inlineRun = 256

// serveInline calls the handler of a request, if it was registered for that, and reports
// whether it has. The reader calls it.
func (s *session) serveInline(f *frames.Frame) bool {
	h := s.node.handlers.at(f.Target)
	if h == nil || !h.inline || !s.roomInline() {
		return false
	}
	resp, err := s.callInline(h, f.Payload)
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
	if s.inlined++; s.inlined%inlineRun == 0 {
		s.BatchEnd()
		s.cork()
	}
	return true
}

// roomInline reports whether an answer can be queued now, and may wait if it is large:
// what is beyond the limits is refused before it has run, by those who refuse the others.
func (s *session) roomInline() bool {
	if s.admitNow(0) != nil {
		return false
	}
	served := s.singles.len() + s.servers.len()
	s.mu.Unlock()
	return served < s.node.cfg.MaxMuxesPerPeer && s.node.muxes.Load() < int64(s.node.cfg.MaxMuxes)
}

func (s *session) callInline(h *handler, req []byte) ([]byte, error) {
	returned := false
	defer func() {
		if !returned { // nothing can be done for the poller any more but to say why
			s.node.log.Error("inline handler has ended its poller", "handler", h.key.id, "peer", s.conn.remote)
		}
	}()
	resp, err := s.callSingle(h, s.conn.base, req)
	returned = true
	return resp, err
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

// replyLater has a worker send a response that replyNow could not. For that time the call
// is one that is served, like others; roomInline has seen that there may be one more.
func (s *session) replyLater(h *handler, f *frames.Frame, resp []byte) {
	if len(resp) <= len(f.Payload) {
		resp = cloneBytes(resp) // it may lie in the request, and that in the reader's buffer
	}
	l := &lateReply{servedSingle{s: s, h: h, id: f.Mux}, resp}
	l.ctx.Init(s.conn.base, deadlineAfter(s.wire.LastRead(), f.Timeout))
	s.mu.Lock()
	lost := s.err != nil
	if !lost {
		s.node.muxes.Add(1)
		s.singles.put(l.id, &l.servedSingle)
	}
	s.mu.Unlock()
	if !lost && s.node.pool.Continue(l) != nil {
		s.forgetSingle(l.id) // the node is closing, and its sessions have ended
	}
}

// lateReply is a single that has been served and whose response is still to be sent.
type lateReply struct {
	servedSingle
	resp []byte
}

// Run runs on a worker of the pool.
func (l *lateReply) Run() {
	defer l.ctx.Finish()
	l.reply(l.resp)
}
