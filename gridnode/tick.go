package gridnode

import (
	"context"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// liveness is what one session keeps between its ticks; only the node's tick, which
// never runs twice at once, touches it.
type liveness struct {
	pinged   time.Duration // when the last ping was sent
	asked    time.Duration // when the first was, since the peer was last heard
	progress time.Duration // the transport's last write, as seen by the tick
	unacked  int           // what the socket held then
	since    time.Duration // when either last changed, or nothing was pending
}

// minTick is the shortest interval of the tick.
const minTick = 10 * time.Millisecond

// tickInterval is how often a node looks at its calls' deadlines and its peers' lives.
func (m *Manager) tickInterval() time.Duration {
	d := min(time.Second, m.cfg.PingAfter/3, (m.cfg.DeadAfter-m.cfg.PingAfter)/3)
	if m.cfg.CallTimeout > 0 {
		d = min(d, m.cfg.CallTimeout/8)
	}
	return max(d, minTick)
}

// startTick sets the one timer of the node: none per call, and none per session, where
// the runtime starts a goroutine for each. m.mu is held.
func (m *Manager) startTick() {
	m.tickDue = wsnet.Now() + m.tickInterval()
	m.tick = time.AfterFunc(m.tickInterval(), m.onTick)
}

// onTick runs on a timer goroutine of the runtime and never waits. Close waits for it.
func (m *Manager) onTick() {
	if m.enter() != nil {
		return
	}
	defer m.serving.Done()
	now := wsnet.Now()
	late := now - m.tickDue
	m.conns.Range(func(_ string, c *Connection) bool {
		for _, s := range [...]*session{c.session.Load(), c.serving.Load()} {
			if s != nil {
				s.expireCalls()
				s.checkPeer(now, late)
			}
		}
		return true
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state != nodeClosed {
		m.tickDue = now + m.tickInterval()
		m.tick.Reset(m.tickInterval())
	}
}

// beginLife is called once the session is live, and before the tick knows it. The clock
// may be negative, in a bubble of testing/synctest: no field may be 0.
func (s *session) beginLife() {
	now := wsnet.Now()
	s.life = liveness{pinged: s.wire.LastRead(), asked: s.wire.LastRead(), progress: now, since: now}
}

// checkPeer gives up a peer that is dead: silent for DeadAfter, or not taking bytes
// for as long. Any received byte is a sign of life, and a link that moves bytes,
// however slowly, is left alone. So each side has to say something now and then: a
// ping, when it has heard nothing for PingAfter, or said nothing itself. The second
// keeps a peer content that is busy sending, and whose own ping would wait behind that.
//
// What this process is late for is not the peer's fault. A tick that is itself late
// proves that it was starved: it accuses nobody, and pings all the same, or a peer would
// hear nothing. And where 250,000 calls run at once, a poller comes round to a connection
// after 8 s, whose peer has been heard by the kernel all the while.
func (s *session) checkPeer(now, late time.Duration) {
	if late > s.node.tickInterval() {
		s.life.since = now
	} else if s.suspect(now) != nil && !s.behind(now) {
		if dead := s.suspect(now); dead != nil { // what it was behind with may have come since
			s.fail(dead)
			return
		}
	}
	quiet := time.Duration(0)
	if s.wire.Pending() == 0 {
		quiet = now - s.wire.LastWrite()
	}
	if max(now-s.wire.LastRead(), quiet) > s.node.cfg.PingAfter && now-s.life.pinged > s.node.cfg.PingAfter {
		s.ping(now)
	}
}

// ping asks the peer for a sign of life, and is one. It does not wait for a reader that is
// held up to end its batch, and takes what that has queued with it.
func (s *session) ping(now time.Duration) {
	s.life.pinged = now
	if s.life.asked <= s.wire.LastRead() {
		s.life.asked = now
	}
	s.mu.Lock()
	s.out.corked = false
	s.mu.Unlock()
	s.control(&frames.Frame{Op: frames.OpPing, Credit: uint64(now)})
}

// behind reports whether this process is what the connection waits for. A peer that takes
// nothing may say as much as it likes: what is unread counts where the reader is late.
func (s *session) behind(now time.Duration) bool {
	late := now-s.wire.LastRead() > s.node.cfg.PingAfter
	return s.wire.Room() || late && s.wire.Unread()
}

// suspect returns why the peer is taken for dead, nil if it is not.
func (s *session) suspect(now time.Duration) error {
	limit, read, life := s.node.cfg.DeadAfter, s.wire.LastRead(), &s.life
	answer := (limit - s.node.cfg.PingAfter) / 2 // the least that a peer has for one
	if written, unacked := s.wire.LastWrite(), s.unacked(); unacked < 0 || written != life.progress || unacked != life.unacked {
		life.progress, life.unacked, life.since = written, unacked, now
	}
	if silent := now - read; silent > limit && life.asked > read && now-life.asked > answer {
		return errorf(CodeDisconnected, "peer silent for %v", silent.Round(time.Millisecond))
	}
	if stalled := now - life.since; stalled > limit {
		return errorf(CodeDisconnected, "peer has taken no bytes for %v", stalled.Round(time.Millisecond))
	}
	return nil
}

// unacked returns what the socket holds while more is pending, else -1.
func (s *session) unacked() int {
	if s.wire.Pending() == 0 {
		return -1
	}
	return s.wire.Unacked()
}

// callTicks is how many ticks CallTimeout lasts at least: the first comes at once.
func (m *Manager) callTicks() uint64 {
	return uint64(m.cfg.CallTimeout/m.tickInterval()) + 2
}

// expireCalls ends the singles whose default timeout is over. It counts ticks, so
// that a call costs no look at the clock: it ends up to two ticks late, never early.
func (s *session) expireCalls() {
	var ids []uint64
	var expired []*call
	s.mu.Lock()
	s.ticks++
	for id, c := range s.calls.all() {
		if c.expires > 0 && c.expires <= s.ticks {
			ids, expired = append(ids, id), append(expired, c)
		}
	}
	for _, id := range ids {
		s.calls.take(id)
	}
	s.mu.Unlock()
	for i, c := range expired {
		c.finish(nil, s.callTimeout())
		s.control(&frames.Frame{Op: frames.OpCancel, Mux: ids[i], Code: CodeDeadlineExceeded, Text: []byte("call timeout")})
	}
}

// callTimeout is the end of a single that has lasted for Config.CallTimeout.
func (s *session) callTimeout() error {
	return errorf(CodeDeadlineExceeded, "%v: %s has not answered within Config.CallTimeout, %v", context.DeadlineExceeded, s.conn.remote, s.node.cfg.CallTimeout)
}

// onPing answers, unless so much is queued that a peer which reads will have its sign
// of life anyway, and one which does not must not make the queue grow.
func (s *session) onPing(f *frames.Frame) {
	s.mu.Lock()
	quiet := s.out.bytes < bulkQueue
	s.mu.Unlock()
	if quiet {
		s.control(&frames.Frame{Op: frames.OpPong, Credit: f.Credit})
	}
}

// onPong measures the round trip of the last ping; the reader calls it.
func (s *session) onPong(f *frames.Frame) {
	asked := time.Duration(f.Credit)
	if rtt := wsnet.Now() - asked; rtt > 0 {
		s.stats.rtt.Store(int64(rtt))
	}
	s.mu.Lock()
	s.confirm.answered = asked
	s.mu.Unlock()
}
