package test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// With the defaults a peer that is black-holed is noticed by both sides within 10 s,
// whether anything is under way or not.
func TestPromise9ADeadPeerIsNoticedWithinTenSeconds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		for _, idle := range []time.Duration{0, time.Millisecond, 2900 * time.Millisecond, 7 * time.Second, time.Hour} {
			<-time.After(idle)
			start := time.Now()
			p.link().Stall()
			eventually(t, "both sides notice", func() bool {
				return p.conn.State() != gridnode.StateConnected && p.back.State() != gridnode.StateConnected
			})
			n.wantWithin(t, "noticing", start, 10*time.Second+time.Millisecond)
			p.link().Resume()
			p.serves(t)
			wantEcho(t, p.back, "back too")
		}
	})
}

// The same over real sockets, with shorter times.
func TestPromise9ADeadSocketIsNoticed(t *testing.T) {
	onEach(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		p := n.pair(t, quickDeath())
		start := time.Now()
		p.link().Stall()
		eventually(t, "both sides notice", func() bool {
			return p.conn.State() != gridnode.StateConnected && p.back.State() != gridnode.StateConnected
		})
		n.wantWithin(t, "noticing", start, 500*time.Millisecond)
		p.link().Resume()
		p.serves(t)
	})
}

// No false alarm: a day of idling, an hour over a link with a round trip of two seconds.
func TestPromise9AHealthyPeerIsNeverGivenUp(t *testing.T) {
	t.Parallel() // its clock is its own
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		<-time.After(24 * time.Hour)
		p.link().Delay(time.Second)
		<-time.After(time.Hour)
		wantEcho(t, p.conn, "there")
		a, b := p.conn.Stats(), p.back.Stats()
		if a.Sessions != 1 || b.Sessions != 1 {
			t.Errorf("%d and %d sessions, want 1", a.Sessions, b.Sessions)
		}
		if a.RTT != 2*time.Second && b.RTT != 2*time.Second {
			t.Errorf("round trips of %v and %v were measured, want 2s", a.RTT, b.RTT)
		}
		p.link().Delay(0)
	})
}

// No false alarm under load: many callers keep the processors busy for longer than a
// silent peer is left alone. That is longer than a processor pauses by itself.
func TestPromise9LoadIsNoFalseAlarm(t *testing.T) {
	onEach(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		const dead = 800 * time.Millisecond
		p := n.pair(t, pings(dead/4))
		var callers sync.WaitGroup
		until := time.Now().Add(2 * dead)
		for i := range 200 {
			from := []*gridnode.Connection{p.conn, p.back}[i%2]
			callers.Go(func() {
				for time.Now().Before(until) {
					wantEcho(t, from, "load")
				}
			})
		}
		callers.Wait()
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}

// No false alarm where a node is behind: what its peer has said waits in the socket, since
// whoever reads is held up for longer than a silent peer is left alone.
func TestPromise9WhoIsLateToListenAccusesNobody(t *testing.T) {
	onEach(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		const dead = 200 * time.Millisecond
		p := n.pair(t, pings(dead/4), inline(hOwn, func(context.Context, []byte) ([]byte, error) {
			<-time.After(5 * dead)
			return nil, nil
		}))
		if _, err := p.conn.Request(t.Context(), hOwn, nil); err != nil {
			t.Errorf("the call that holds up the reader: %v", err)
		}
		if a, b := p.conn.Stats().Sessions, p.back.Stats().Sessions; a != 1 || b != 1 {
			t.Errorf("%d and %d sessions, want the first still", a, b)
		}
	})
}
