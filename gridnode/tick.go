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
	progress time.Duration // the transport's last write, as seen by the tick
	since    time.Duration // when progress last changed, or nothing was pending
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
	s.life = liveness{pinged: s.wire.LastRead(), progress: now, since: now}
}

// checkPeer gives up a peer that is dead: silent for DeadAfter, or not taking bytes
// for as long. Any received byte is a sign of life, and a link that moves bytes,
// however slowly, is left alone. So each side has to say something now and then: a
// ping, when it has heard nothing for PingAfter, or said nothing itself. The second
// keeps a peer content that is busy sending, and whose own ping would wait behind that.
// A tick that is itself late proves that this process was starved, not that the peer
// is dead.
func (s *session) checkPeer(now, late time.Duration) {
	cfg := &s.node.cfg
	read := s.wire.LastRead()
	silent, quiet := now-read, time.Duration(0)
	written, pending := s.wire.LastWrite(), s.wire.Pending()
	if pending == 0 || written != s.life.progress {
		s.life.progress, s.life.since = written, now
	}
	if pending == 0 {
		quiet = now - written
	}
	if late > s.node.tickInterval() {
		s.life.since = now
		return
	}
	switch {
	case silent > cfg.DeadAfter && s.life.pinged > read: // it was asked, a tick ago at least
		s.fail(errorf(CodeDisconnected, "peer silent for %v", silent.Round(time.Millisecond)))
	case now-s.life.since > cfg.DeadAfter:
		s.fail(errorf(CodeDisconnected, "peer has taken no bytes for %v", (now - s.life.since).Round(time.Millisecond)))
	case max(silent, quiet) > cfg.PingAfter && now-s.life.pinged > cfg.PingAfter:
		s.life.pinged = now
		s.control(&frames.Frame{Op: frames.OpPing, Credit: uint64(now)})
	}
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
