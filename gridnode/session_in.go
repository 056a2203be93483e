package gridnode

import "github.com/actorgrid/actorgrid/frames"

// Message is called by the transport for each WebSocket message, one at a time. It
// never waits: not for a slow stream, the writer, or a handler, and calls none but those
// that were registered as never waiting. An error ends the session; what concerns one mux
// alone ends that mux.
func (s *session) Message(msg []byte) error {
	s.cork()
	s.heard = true
	s.stats.received(len(msg))
	body := msg
	if s.checksum {
		var err error
		if body, err = frames.CheckBatch(msg); err != nil {
			return protocolError("%v", err)
		}
	}
	var f frames.Frame
	for len(body) > 0 {
		var err error
		if body, err = frames.Decode(body, &f); err != nil {
			return protocolError("%v", err)
		}
		if err := s.dispatch(&f); err != nil {
			return err
		}
	}
	return nil
}

// BatchEnd is called by the transport after the messages of one read: what they
// caused to be queued goes out in one write.
func (s *session) BatchEnd() {
	s.mu.Lock()
	s.out.corked = false
	s.replied, s.replies = s.replies, 0
	flush := s.out.bytes > 0 && !s.out.flushing && !s.out.closed
	if flush {
		s.out.flushing = true
	}
	s.mu.Unlock()
	if flush {
		s.flushFromReader()
	}
}

// cork makes frames that are queued from now on wait for BatchEnd.
func (s *session) cork() {
	s.mu.Lock()
	s.out.corked = true
	gaveUp := s.gaveUp
	s.gaveUp = false
	s.mu.Unlock()
	if gaveUp {
		s.dropGivenUp()
	}
}

// flushFromReader flushes without waiting for others to join.
func (s *session) flushFromReader() {
	if !s.flushSome(flushRounds) {
		s.handOverFlush()
	}
}

// dispatch routes one frame to its actor by mux ID. f borrows from the message.
func (s *session) dispatch(f *frames.Frame) error {
	switch f.Op {
	case frames.OpRequest:
		return s.onRequest(f)
	case frames.OpReply:
		return s.onReply(f)
	case frames.OpOpen:
		return s.onOpen(f)
	case frames.OpData:
		return s.onData(f)
	case frames.OpCredit:
		return s.onCredit(f)
	case frames.OpCloseSend:
		return s.onCloseSend(f)
	case frames.OpStatus:
		return s.onStatus(f)
	case frames.OpCancel:
		return s.onCancel(f)
	case frames.OpPing:
		s.onPing(f)
	case frames.OpPong:
		s.onPong(f)
	case frames.OpGoaway:
		s.onGoaway(f)
	default:
		return protocolError("op %d after the handshake", f.Op)
	}
	return nil
}

// accept checks the ID of a mux that the peer opens: IDs are of the peer's parity,
// strictly increasing and never used twice.
func (s *session) accept(id uint64) error {
	odd := id&1 == 1
	if odd == s.self {
		return protocolError("mux %d opened by the wrong side", id)
	}
	if id <= s.lastID {
		return protocolError("mux %d opened after mux %d", id, s.lastID)
	}
	s.lastID = id
	return nil
}

// known checks the ID of a frame for a mux that should exist. A mux that has ended
// is not an error: frames may have crossed its end.
func (s *session) known(id uint64) error {
	odd := id&1 == 1
	if odd != s.self {
		if id > s.lastID {
			return protocolError("mux %d was never opened", id)
		}
		return nil
	}
	s.mu.Lock()
	next := s.nextID
	s.mu.Unlock()
	if id >= next {
		return protocolError("mux %d was never opened", id)
	}
	return nil
}

// received counts the payload of a frame against the byte window.
func (s *session) received(f *frames.Frame) error {
	n := reserved(len(f.Payload))
	if n == 0 {
		// The last fragment of a large message may be small, and so may be what opens a
		// stream of large ones.
		if f.Flags == 0 && f.Op != frames.OpOpen && s.stats.rtt.Load() < int64(far) {
			s.recvWindow.small()
		}
		return nil
	}
	if n > fragmentSize {
		return protocolError("%d bytes of payload in one frame, limit %d", n, fragmentSize)
	}
	back, ok := s.recvWindow.large(uint64(n))
	if !ok {
		return protocolError("%d bytes in flight, window %d", s.recvWindow.used, s.recvWindow.size)
	}
	if back > 0 {
		s.control(&frames.Frame{Op: frames.OpCredit, Credit: back})
	}
	return nil
}

// assemble collects the fragments of a single's request or reply. It returns the
// message, whose buf is the receiver's, when f has completed it; nil is a message
// that was refused or abandoned before: its fragments are ignored.
func (s *session) assemble(f *frames.Frame) (a *assembly, complete bool, err error) {
	if f.Flags&frames.FlagCont == 0 {
		if s.assembling[f.Mux] != nil {
			s.dropAssembly(f.Mux)
			return nil, false, errWithin
		}
		if a, err = s.newAssembly(f); err != nil {
			return nil, false, err
		}
		if s.assembling == nil {
			s.assembling = make(map[uint64]*assembly)
		}
		s.assembling[f.Mux] = a
	} else if a = s.assembling[f.Mux]; a == nil {
		return nil, false, nil
	} else if a.first.Op != f.Op {
		return nil, false, protocolError("%v continues a message of %v", f.Op, a.first.Op)
	}
	complete, err = a.add(f)
	if complete || err != nil {
		s.dropAssembly(f.Mux)
	}
	return a, complete, err
}

// dropAssembly forgets a message that will not be completed.
func (s *session) dropAssembly(id uint64) {
	if a := s.assembling[id]; a != nil {
		s.release(int(a.first.Size))
		delete(s.assembling, id)
		if len(s.assembling) == 0 {
			s.assembling = nil
		}
	}
}

// dropGivenUp forgets what has come of messages of streams that were given up here: no
// frame need follow before the handler's return, which may take its time.
func (s *session) dropGivenUp() {
	for id, a := range s.assembling {
		if a.first.Op == frames.OpData && s.stream(id) == nil {
			s.dropAssembly(id)
		}
	}
}

// onReply ends a single with its response.
func (s *session) onReply(f *frames.Frame) error {
	if err := s.received(f); err != nil {
		return err
	}
	if f.Mux&1 == 1 != s.self {
		return protocolError("reply for mux %d from its opener", f.Mux)
	}
	if f.Flags == 0 && s.assembling[f.Mux] != nil {
		return errWithin
	}
	if f.Flags != 0 {
		return s.onReplyFragment(f)
	}
	if err := s.fits(f); err != nil {
		return s.replyRefused(f.Mux, err)
	}
	c := s.takeCall(f.Mux)
	if c == nil {
		return s.known(f.Mux)
	}
	s.replies++
	c.finish(cloneBytes(f.Payload), nil)
	return nil
}

// onReplyFragment ends a single when its response is complete.
func (s *session) onReplyFragment(f *frames.Frame) error {
	if !s.calling(f.Mux) {
		s.dropAssembly(f.Mux)
		return s.known(f.Mux)
	}
	a, complete, err := s.assemble(f)
	if err != nil {
		return s.replyRefused(f.Mux, err)
	}
	if !complete {
		return s.known(f.Mux)
	}
	if c := s.takeCall(f.Mux); c != nil {
		s.replies++
		c.finish(a.buf, nil)
	}
	return nil
}

// calling reports whether somebody waits for the reply of this mux.
func (s *session) calling(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.get(id) != nil
}

// replyRefused ends a call whose response cannot be taken; a protocol error ends
// the session instead.
func (s *session) replyRefused(id uint64, err error) error {
	if e, ok := err.(*Error); ok && e.Code == CodeProtocol {
		return err
	}
	if c := s.takeCall(id); c != nil {
		c.finish(nil, err)
		code, text := statusOf(err)
		s.control(&frames.Frame{Op: frames.OpCancel, Mux: id, Code: code, Text: []byte(text)})
	}
	return nil
}

// onStatus ends a single with an error, or a stream with its final status.
func (s *session) onStatus(f *frames.Frame) error {
	if f.Mux&1 == 1 != s.self {
		return protocolError("status for mux %d from its opener", f.Mux)
	}
	s.dropAssembly(f.Mux)
	if c := s.takeCall(f.Mux); c != nil {
		if f.Code == frames.CodeOK {
			c.finish(nil, protocolError("single ended without a reply"))
			return nil
		}
		c.finish(nil, remoteError(f.Code, string(f.Text)))
		return nil
	}
	if st := s.takeClient(f.Mux); st != nil {
		st.end(f.Code, string(f.Text))
		return nil
	}
	return s.known(f.Mux)
}

// onCredit opens a window: of the session for mux 0, else of one stream.
func (s *session) onCredit(f *frames.Frame) error {
	if f.Credit == 0 || f.Credit > 1<<40 {
		return protocolError("credit of %d", f.Credit)
	}
	if f.Mux == 0 {
		s.window.Return(int64(f.Credit))
		return nil
	}
	if st := s.stream(f.Mux); st != nil {
		st.out.Return(int64(f.Credit))
		return nil
	}
	return s.known(f.Mux)
}

// onCancel is the caller's poison for a call or a stream that runs here.
func (s *session) onCancel(f *frames.Frame) error {
	s.dropAssembly(f.Mux)
	s.mu.Lock()
	c, st := s.singles.get(f.Mux), s.servers.get(f.Mux)
	s.mu.Unlock()
	cause := error(remoteError(f.Code, string(f.Text)))
	switch {
	case c != nil:
		c.ctx.Cancel(cause)
	case st != nil:
		st.poison(cause)
	default:
		return s.known(f.Mux)
	}
	return nil
}

// onGoaway: the peer drains. Running calls finish; new ones are not sent.
func (s *session) onGoaway(f *frames.Frame) {
	s.mu.Lock()
	before := s.drain
	s.drain = true
	s.mu.Unlock()
	if !before && s.conn.remote != s.node.cfg.Local {
		s.node.log.Info("peer drains", "peer", s.conn.remote, "reason", string(f.Text[:min(len(f.Text), maxLoggedText)]))
	}
}
