package gridnode

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// askAgain is the time between two pings to a peer that has not answered: with much to
// send it leaves out its pongs.
const askAgain = 100 * time.Millisecond

// confirmation is what Shutdown wants of a session: a pong for a ping of its own, behind
// which everything that was sent before has arrived. Guarded by session.mu.
type confirmation struct {
	asked    time.Duration // when its last ping was sent, on wsnet's clock
	answered time.Duration // when the last ping was sent that was answered, anybody's
}

// never is before all times of the clock, which is negative in a bubble of
// testing/synctest.
const never = time.Duration(math.MinInt64)

// waitDrained waits until nothing is in flight and each peer has confirmed what it was
// sent, twice. The first pong comes behind the peer's last call, since it has seen the
// goaway before. The second comes behind the last answer of this node: if the socket
// was closed while the kernel still had that, and the peer sent anything meanwhile,
// the kernel would drop it.
func (m *Manager) waitDrained(ctx context.Context) error {
	for range 2 {
		if err := m.waitIdle(ctx, wsnet.Now()); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.drained = true
	m.mu.Unlock()
	return nil
}

// waitIdle waits until nothing is in flight and a ping of after since was answered by
// each peer. It polls: the end of a call pays nothing for the rare Shutdown.
func (m *Manager) waitIdle(ctx context.Context, since time.Duration) error {
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		idle := true
		m.conns.Range(func(_ string, c *Connection) bool {
			idle = c.idle(since) && idle
			return true
		})
		if idle {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("gridnode: Shutdown: cut off: %s: %w", m.unfinished(since), ctx.Err())
		case <-m.ctx.Done():
			return m.cutOff()
		}
	}
}

// unfinished tells what a drain waits for.
func (m *Manager) unfinished(since time.Duration) string {
	var what []string
	m.conns.Range(func(name string, c *Connection) bool {
		if !c.idle(since) {
			st := c.Stats()
			what = append(what, fmt.Sprintf("%s (%d calls and streams to it, %d from it)", name, st.Calls+st.Streams, st.ServingCalls+st.ServingStreams))
		}
		return true
	})
	if len(what) == 0 {
		return "nothing" // it has finished just now
	}
	return strings.Join(what, ", ")
}

// idle reports whether nothing is in flight, in either direction, and the peer has
// answered a ping of after since.
func (c *Connection) idle(since time.Duration) bool {
	idle := true
	for _, s := range c.ends() {
		idle = s.confirmed(since) && s.inFlight() == 0 && idle
	}
	return idle
}

// confirmed reports whether a ping of after since was answered, and sends one if that
// is due.
func (s *session) confirmed(since time.Duration) bool {
	now := wsnet.Now()
	s.mu.Lock()
	c := &s.confirm
	answered := c.answered >= since
	ask := !answered && (c.asked < since || now-c.asked >= askAgain)
	if ask {
		c.asked = now
	}
	s.mu.Unlock()
	if ask {
		s.control(&frames.Frame{Op: frames.OpPing, Credit: uint64(now)})
	}
	return answered
}
