package gridnode

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// connMailbox is the capacity of a connection's mailbox. Accepted sessions are refused
// when it is half full, and knocks go unheard, so that the losses of those attached, and
// the failures of attempts, always fit.
const connMailbox = 4096

// connEvent is a message to a connection's actor.
type connEvent struct {
	kind    connEventKind
	session *session
	err     error
}

type connEventKind uint8

const (
	eventDial     connEventKind = iota // time to dial
	eventFailed                        // a dial failed with err
	eventAttached                      // a session went live
	eventAccepted                      // the serving end of a loopback went live
	eventLost                          // a session ended with err
	eventClose                         // the node closes
)

// knockAfter is how long a node that has just started waits for a peer whose turn
// it is to dial before it knocks.
const knockAfter = 100 * time.Millisecond

// start makes the connection begin its life; the node is running.
func (c *Connection) start() {
	if c.remote == c.node.cfg.Local {
		c.startLoopback()
		return
	}
	if c.dials {
		c.actor.TrySend(connEvent{kind: eventDial})
		return
	}
	c.dialAfter(knockAfter) // no event can come before Start returns
}

// close ends the connection. All events of sessions that exist precede it.
func (c *Connection) close() { c.actor.TrySend(connEvent{kind: eventClose}) }

// crowded reports whether the mailbox takes only what must not be lost.
func (c *Connection) crowded() bool { return c.actor.Len() > connMailbox/2 }

// attach announces a live session to the actor; it is refused if the node closes.
func (c *Connection) attach(s *session) {
	if c.crowded() || c.actor.TrySend(connEvent{kind: eventAttached, session: s}) != nil {
		s.fail(errorf(CodeOverloaded, "overloaded: too many sessions of one peer"))
	}
}

// knocked has the actor dial a peer that is up, and waits for this node to do so.
func (c *Connection) knocked() {
	if !c.crowded() { // else a dial is queued, or a session
		c.actor.TrySend(connEvent{kind: eventDial})
	}
}

// receive is the actor's body: it runs for one event at a time.
func (c *Connection) receive(e connEvent) {
	switch e.kind {
	case eventDial:
		c.onDial()
	case eventFailed:
		c.dialing = false
		c.onFailed(e.err)
	case eventAttached:
		c.onAttached(e.session)
	case eventAccepted:
		c.live = append(c.live, e.session)
		c.serving.Store(e.session)
	case eventLost:
		c.onLost(e.session, e.err)
	case eventClose:
		c.setState(StateClosed, ErrClosed)
		c.stopRetry()
		for _, s := range c.live {
			s.fail(ErrClosed)
		}
		c.checkGone()
	}
}

func (c *Connection) closing() bool { return c.State() == StateClosed }

// onDial starts an attempt, unless there is one or no need.
func (c *Connection) onDial() {
	if c.closing() || c.dialing || c.session.Load() != nil || !c.node.running() || c.node.enter() != nil {
		return
	}
	c.dialing, c.dialled = true, c.node.now()
	if c.dials {
		c.setState(StateConnecting, nil)
	}
	go func() { // ends with the handshake's deadline or Close, which waits for it
		defer c.node.serving.Done()
		s, err := c.connect(c.node.ctx)
		if err != nil {
			c.actor.TrySend(connEvent{kind: eventFailed, err: err})
			return
		}
		c.attach(s)
	}()
}

// onFailed plans the next attempt.
func (c *Connection) onFailed(err error) {
	if c.closing() || c.node.ctx.Err() != nil || c.session.Load() != nil {
		return
	}
	var e *Error
	if !c.dials && errors.As(err, &e) && e.Code == frames.RefuseDirection {
		return // that was a knock, and the peer has heard it
	}
	c.setState(StateDisconnected, err)
	c.logOnce(err)
	if c.dials {
		c.dialLater() // else it was a knock in vain: the peer dials when it wants
	}
}

// dialLater plans the next attempt, with exponential backoff and jitter.
func (c *Connection) dialLater() {
	cfg := &c.node.cfg
	delay := cfg.ReconnectMax
	if c.attempts < 62 && cfg.ReconnectMin <= delay>>c.attempts { // no shift overflows
		delay = cfg.ReconnectMin << c.attempts
	}
	c.attempts++
	c.dialAfter(delay/2 + rand.N(delay/2+1))
}

// dialAfter sets the one timer of the connection.
func (c *Connection) dialAfter(d time.Duration) {
	c.stopRetry()
	c.retry = time.AfterFunc(d, func() { c.actor.TrySend(connEvent{kind: eventDial}) })
}

func (c *Connection) stopRetry() {
	if c.retry != nil {
		c.retry.Stop()
		c.retry = nil
	}
}

// onAttached makes a session the one that calls use. It has proved its name, so the
// one before it, if any, gives way.
func (c *Connection) onAttached(s *session) {
	c.dialing = c.dialing && !s.self
	if c.closing() {
		c.live = append(c.live, s)
		s.fail(ErrClosed)
		return
	}
	old, err := c.install(s)
	if err != nil { // its event has come already, or will in vain
		if s.self {
			c.onFailed(err)
		}
		return
	}
	c.live = append(c.live, s)
	c.stopRetry()
	if old != nil {
		old.fail(errReplaced)
	}
	c.logged = nil
	c.node.log.Info("connected", "peer", c.remote)
	if c.node.stage() > nodeRunning {
		c.drain() // Shutdown may have looked for sessions before this one was installed
	}
}

var errReplaced = errors.New("replaced by a newer connection of the same peer")

// onLost forgets a session and dials again if it was the one in use, at once if the
// session was of use.
func (c *Connection) onLost(s *session, err error) {
	before := len(c.live)
	c.live = slices.DeleteFunc(c.live, func(l *session) bool { return l == s })
	attached := len(c.live) < before
	c.serving.CompareAndSwap(s, nil)
	if c.closing() {
		c.checkGone()
		return
	}
	if !attached || c.session.Load() != nil {
		return
	}
	if !s.heard && !s.self && err != nil { // the dialler verifies last, and only its own log tells
		err = fmt.Errorf("%w, before the peer said anything: its log may tell why", err)
	}
	c.node.log.Info("disconnected", "peer", c.remote, "reason", err)
	if c.remote == c.node.cfg.Local {
		c.startLoopback()
		return
	}
	if !c.dials {
		return
	}
	if !s.heard { // a peer that drops what it accepts is not dialled as fast as it can drop
		c.dialLater()
		return
	}
	c.attempts = 0
	if wait := c.dialled + c.node.cfg.ReconnectMin - c.node.now(); wait > 0 {
		c.dialAfter(wait) // two nodes of one name would replace each other without a pause
		return
	}
	c.onDial()
}

// checkGone reports to Close when nothing is left.
func (c *Connection) checkGone() {
	if len(c.live) > 0 {
		return
	}
	select {
	case <-c.gone:
	default:
		close(c.gone)
	}
}

// maxLoggedCodes bounds the kinds of failure that cost a line before the next session:
// the code of a refusal is the peer's.
const maxLoggedCodes = 8

// logOnce logs why attempts fail, once per kind of failure and session: a peer that
// is down for an hour costs a line, not a flood. The rest is for who looks closer.
func (c *Connection) logOnce(err error) {
	code := CodeDisconnected
	var e *Error
	if errors.As(err, &e) {
		code = e.Code
	}
	level := slog.LevelDebug
	if !slices.Contains(c.logged, code) && len(c.logged) < maxLoggedCodes {
		c.logged = append(c.logged, code)
		level = slog.LevelWarn
	}
	c.node.log.Log(c.node.ctx, level, "cannot connect", "peer", c.remote, "error", err)
}
