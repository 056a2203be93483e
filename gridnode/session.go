package gridnode

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
	"github.com/actorgrid/actorgrid/mailbox"
)

// wire is the live WebSocket under a session: a wsnet.Conn, or the in-process one
// of a loopback connection.
type wire interface {
	Send(buf []byte) error
	Pending() int
	LastRead() time.Duration
	LastWrite() time.Duration
	Unread() bool
	Room() bool
	Unacked() int
	Close(err error)
}

var _ wire = wsnet.Conn(nil)

// session is one live WebSocket between two nodes. Mux tables, IDs and queues
// belong to it, so that nothing of a dead one can leak into the next.
//
// Two kinds of goroutine meet here. The reader (one at a time: the poller's
// callback, or the reader goroutine of the other transport) runs Message and
// BatchEnd and alone owns the fields marked reader. Callers and handlers append
// frames and take the lock for a few map operations. Nobody blocks under mu.
type session struct {
	node     *Manager
	conn     *Connection
	wire     wire
	start    time.Duration // node clock
	peer     peerInfo      // what the peer said of itself in its hello
	checksum bool          // agreed in the handshake
	self     bool          // this node opens odd mux IDs

	window  mailbox.Credit // bytes of large payloads that may still be sent
	held    atomic.Int64   // bytes received and not yet taken
	mu      sync.Mutex
	err     error  // the first error; set once, seen by every call
	drain   bool   // the peer said goaway: no new calls
	ticks   uint64 // so far
	replied int    // calls that the last read has ended
	gaveUp  bool   // streams, since the last read
	nextID  uint64 // next mux ID to open
	calls   table[*call]
	clients table[*MuxClient]
	singles table[*servedSingle]
	servers table[*MuxServer]
	out     outQueue
	confirm confirmation // that Shutdown waits for

	heard      bool                 // reader, then the connection's actor: the peer has said something
	replies    int                  // reader: calls ended in this read so far
	inlined    int                  // reader: inline handlers that have run
	lastID     uint64               // reader: highest mux ID that the peer has opened
	recvWindow recvWindow           // reader
	assembling map[uint64]*assembly // reader: messages that arrive in fragments

	done  chan struct{} // closed when the session has ended and all its muxes know
	life  liveness      // the tick
	stats *counters
}

// newSession builds a session that is not live yet. w may be nil until bind.
func newSession(c *Connection, info peerInfo, dialler bool) *session {
	s := &session{
		node:       c.node,
		conn:       c,
		start:      c.node.now(),
		peer:       info,
		checksum:   info.checksum,
		self:       dialler,
		nextID:     2,
		done:       make(chan struct{}),
		confirm:    confirmation{asked: never, answered: never},
		stats:      &c.counters,
		recvWindow: newRecvWindow(c.node.cfg.Window),
	}
	if dialler {
		s.nextID = 1
	}
	s.window.Init(int64(info.window))
	return s
}

// fail ends the session with its first error; later ones are ignored. It may be
// called from anywhere, with no lock held. The calls learn of it from Closed.
func (s *session) fail(err error) { s.wire.Close(err) }

// Closed is called once by the transport, after the last Message. Every call and
// stream of the session ends here with the session's error.
func (s *session) Closed(err error) {
	cause := lostError(s.conn.remote, err)
	s.mu.Lock()
	s.err = cause
	calls, clients, singles, servers := s.calls, s.clients, s.singles, s.servers
	s.calls, s.clients, s.singles, s.servers = table[*call]{}, table[*MuxClient]{}, table[*servedSingle]{}, table[*MuxServer]{}
	s.out.close()
	s.mu.Unlock()
	s.window.Close(cause)
	for _, c := range calls.all() {
		c.finish(nil, cause)
	}
	for _, st := range clients.all() {
		st.lose(cause)
	}
	for _, c := range singles.all() {
		c.ctx.Cancel(cause)
	}
	for _, st := range servers.all() {
		st.poison(cause)
	}
	s.node.muxes.Add(-int64(singles.len() + servers.len()))
	s.conn.lost(s, err)
	close(s.done)
}

// lostWith returns the error of a session that has ended, or is about to.
func (s *session) lostWith() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// lostError makes the error that calls of a lost session end with, once for all of them:
// the outcome is unknown, and the peer and the reason are told.
func lostError(peer string, err error) *Error {
	lost := &Error{Code: CodeDisconnected, Message: "disconnected from " + peer}
	if err == nil {
		return lost
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // io.EOF is the clean end of a stream, and this is none
	}
	lost.Message += ": " + err.Error()
	lost.cause = causeOf(err)
	return lost
}

// causeOf is err as the cause of a loss, unless a call with that cause would pass for
// one that has ended otherwise: the dial has run out of time, not the call; and what is
// overloaded was refused, where a lost call may have run.
func causeOf(err error) error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, ErrOverloaded} {
		if errors.Is(err, end) {
			return errors.New(err.Error())
		}
	}
	return err
}

// protocolError is the end of a session whose peer broke the rules.
func protocolError(format string, args ...any) error {
	return errorf(CodeProtocol, "protocol error: "+format, args...)
}

// open allocates the next mux ID. s.mu is held.
func (s *session) open() uint64 {
	id := s.nextID
	s.nextID += 2
	return id
}

// usable returns the error that a new call gets. s.mu is held.
func (s *session) usable() error {
	if s.err != nil {
		return notSent(s.err)
	}
	if s.drain {
		return errorf(CodeNotSent, "disconnected, not sent: %s is shutting down", s.conn.remote)
	}
	return nil
}

func notSent(cause error) error {
	return &Error{Code: CodeNotSent, Message: "not sent: " + cause.Error(), cause: causeOf(cause)}
}

// control queues a frame of the control lane: it is always accepted, whatever the
// data queues hold, and never waits. What keeps the lane bounded is the fuse: a peer
// that makes this side answer, and does not read the answers, loses the session.
func (s *session) control(f *frames.Frame) {
	s.mu.Lock()
	flush := s.out.append(s, f)
	queued := s.out.bytes
	s.mu.Unlock()
	if queued > s.node.cfg.QueueLimit+controlLimit {
		s.fail(errorf(CodeOverloaded, "overloaded: %d bytes wait for a peer that does not read", queued))
		return
	}
	s.flush(flush)
}
