package gridnode

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/frames"
)

// State is what a Connection is doing.
type State uint8

// A connection moves between the first three until it is closed.
const (
	StateDisconnected State = iota // no session; the next attempt is due, or the peer's to make
	StateConnecting                // dialling or shaking hands
	StateConnected                 // calls go through
	StateClosed                    // the node was closed
)

var stateNames = [...]string{"disconnected", "connecting", "connected", "closed"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText makes JSON, of ConnectionStats too, tell the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("gridnode: no state %.100q", text)
	}
	*s = State(i)
	return nil
}

// Connection is the lasting relation to one peer. The sessions below it come and
// go; calls fail with ErrDisconnected while there is none. All methods may be
// called concurrently.
//
// It is an actor: dialling, accepted sessions, losses and the end arrive as
// messages, one at a time, on a worker of the node's pool. An idle connection has
// no goroutine.
type Connection struct {
	node   *Manager
	remote string
	dials  bool
	base   context.Context // parent of the handlers' contexts: who the caller is

	session  atomic.Pointer[session] // what calls use; nil while there is none; changed under mu
	serving  atomic.Pointer[session] // the other end of a loopback; nil for all others
	actor    *actor.Reactor[connEvent]
	counters counters

	// Owned by the actor.
	live     []*session  // attached and not yet lost; a map costs an idle connection 120 bytes more
	attempts int         // in vain, since the last session that was of use
	retry    *time.Timer // until the next attempt; nil while there is a session
	dialing  bool
	dialled  time.Duration // node clock: when the last attempt began
	logged   []Code        // refusals and failures that have been logged since the last session

	mu      sync.Mutex
	state   State
	change  chan struct{} // closed at the next change of state; nil while nobody waits for it
	lastErr error
	gone    chan struct{} // closed when the connection has ended and its sessions too
}

func newConnection(m *Manager, remote string) *Connection {
	c := &Connection{
		node:   m,
		remote: remote,
		dials:  remote != m.cfg.Local && dials(m.cfg.Local, remote),
		base:   context.WithValue(context.Background(), callerKey{}, remote),
		gone:   make(chan struct{}),
	}
	c.actor = actor.NewReactor(m.pool, connMailbox, c.receive)
	return c
}

// Remote returns the peer's name.
func (c *Connection) Remote() string { return c.remote }

// State returns the current state.
func (c *Connection) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Err returns why the last session ended or the last attempt failed, of either side as
// far as this one knows; nil while connected.
func (c *Connection) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastErr
}

// setState moves the connection to a state, with the error that led there.
func (c *Connection) setState(to State, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setStateLocked(to, err)
}

// setStateLocked is the only place where state changes. c.mu is held.
func (c *Connection) setStateLocked(to State, err error) {
	if c.state == StateClosed {
		return
	}
	if to == StateConnected || err != nil {
		c.lastErr = err
	}
	if c.state == to {
		return
	}
	c.state = to
	if c.change != nil {
		close(c.change)
		c.change = nil
	}
}

// refused keeps for Err why this node did not accept the peer.
func (c *Connection) refused(reason *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state < StateConnected {
		c.lastErr = fmt.Errorf("its connection was refused here: %w", reason)
	}
}

// install makes s the session that calls use and returns the one before. It refuses
// one that has ended: whether s ends before this or after, who comes second sees it.
func (c *Connection) install(s *session) (old *session, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := s.lostWith(); err != nil {
		return nil, err
	}
	c.counters.connected(s) // before anybody sees the session
	old = c.session.Swap(s)
	c.setStateLocked(StateConnected, nil)
	return old, nil
}

// lost takes a session that has ended out of use, at once, and tells the actor.
func (c *Connection) lost(s *session, err error) {
	c.mu.Lock()
	if c.session.CompareAndSwap(s, nil) {
		c.setStateLocked(StateDisconnected, lostError(c.remote, err))
	}
	c.mu.Unlock()
	c.actor.TrySend(connEvent{kind: eventLost, session: s, err: err})
}

// WaitForConnect returns nil as soon as the connection is up, ErrClosed when the
// node is closed, or ctx's error, with why there is no connection as its text.
func (c *Connection) WaitForConnect(ctx context.Context) error {
	for {
		state, change := c.watch()
		switch state {
		case StateConnected:
			return nil
		case StateClosed:
			return ErrClosed
		}
		select {
		case <-change:
		case <-ctx.Done():
			return c.gaveUp(ctx)
		}
	}
}

// gaveUp is the error of who has waited for a connection until ctx ended.
func (c *Connection) gaveUp(ctx context.Context) error {
	code := CodeCanceled
	if ctx.Err() == context.DeadlineExceeded {
		code = CodeDeadlineExceeded
	}
	return &Error{Code: code, Message: ended(ctx).Error() + ": " + c.why(), cause: context.Cause(ctx)}
}

// watch returns the state, and a channel that is closed when it changes, unless that
// is what WaitForConnect waits for.
func (c *Connection) watch() (State, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.change == nil && c.state < StateConnected {
		c.change = make(chan struct{})
	}
	return c.state, c.change
}

// Request calls a single handler of the peer and returns its response, which
// belongs to the caller. req may be reused after the return. It fails at once if
// there is no connection (ErrNotSent, which is an ErrDisconnected) or no such
// handler; without a deadline in ctx, Config.CallTimeout applies. The end of ctx
// returns at once and reaches the handler's context.
func (c *Connection) Request(ctx context.Context, h HandlerID, req []byte) ([]byte, error) {
	return c.request(ctx, h, "", req)
}

func (c *Connection) request(ctx context.Context, h HandlerID, route string, req []byte) ([]byte, error) {
	s, t, err := c.resolve(handlerKey{id: h, kind: frames.KindSingle, route: route})
	if err != nil {
		return nil, err
	}
	return s.request(ctx, t.index, req)
}

// OpenMux opens a stream to the peer. payload may be reused after the return. It
// fails like Request. The end of ctx cancels the stream; there is no default
// deadline.
func (c *Connection) OpenMux(ctx context.Context, h HandlerID, payload []byte) (*MuxClient, error) {
	return c.openMux(ctx, h, "", payload)
}

func (c *Connection) openMux(ctx context.Context, h HandlerID, route string, payload []byte) (*MuxClient, error) {
	s, t, err := c.resolve(handlerKey{id: h, kind: frames.KindStream, route: route})
	if err != nil {
		return nil, err
	}
	return s.openMux(ctx, t, payload, nil)
}

// resolve finds the live session and the peer's index of a handler.
func (c *Connection) resolve(key handlerKey) (*session, remoteHandler, error) {
	s := c.session.Load()
	if s == nil {
		return nil, remoteHandler{}, c.down()
	}
	t, ok := s.peer.handlers.find(key)
	if !ok {
		return nil, remoteHandler{}, s.unknown(key)
	}
	return s, t, nil
}

// unknown is the error of a call whose handler the peer does not have. The same number
// as another kind, or under another subroute, is likely to be what was meant.
func (s *session) unknown(key handlerKey) error {
	const handler = "%v %d, subroute %q"
	text := fmt.Sprintf("unknown handler: %s has no "+handler, s.conn.remote, key.kind, key.id, key.route)
	for _, h := range s.peer.handlers {
		if h.key.id == key.id {
			text += fmt.Sprintf(", but "+handler, h.key.kind, h.key.id, h.key.route)
			break
		}
	}
	return &Error{Code: CodeUnknownHandler, Message: text}
}

// down is the error of a call without a session.
func (c *Connection) down() error {
	if c.State() == StateClosed {
		return ErrClosed
	}
	e := &Error{Code: CodeNotSent, Message: "not sent: " + c.why()}
	if err := c.Err(); err != nil {
		e.cause = causeOf(err)
	}
	return e
}

// why tells why there is no connection.
func (c *Connection) why() string {
	text := "no connection to " + c.remote
	err := c.Err()
	switch {
	case c.node.stage() == nodeNew:
		return text + ": this node was not started"
	case err != nil:
		return text + ": " + err.Error()
	case !c.dials:
		return text + ", whose turn it is to dial"
	}
	return text + " yet"
}

// ends returns the sessions that are in use here: none, one, or both of a loopback.
func (c *Connection) ends() []*session {
	var ends []*session
	for _, s := range []*session{c.session.Load(), c.serving.Load()} {
		if s != nil {
			ends = append(ends, s)
		}
	}
	return ends
}

// inFlight counts the calls and streams of both directions, and the bytes that are not
// written yet.
func (s *session) inFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.len() + s.clients.len() + s.singles.len() + s.servers.len() + s.out.bytes + s.wire.Pending()
}

// drain tells the peer to send no new calls, and lets no new ones out.
func (c *Connection) drain() {
	s := c.session.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	s.drain = true
	s.mu.Unlock()
	s.control(&frames.Frame{Op: frames.OpGoaway, Code: CodeClosed, Text: []byte("shutting down")})
}

type callerKey struct{}

// Caller returns the name of the peer whose call a handler is serving. ctx is the
// handler's, or derived from it.
func Caller(ctx context.Context) (peer string, ok bool) {
	peer, ok = ctx.Value(callerKey{}).(string)
	return peer, ok
}
