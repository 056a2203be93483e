package test

import (
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The shortest times that a Config takes give a link that is looked after and lasts: no
// healthy peer is taken for dead, also just after it was silent for a while.
func TestTheShortestTimesKeepAHealthyLink(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, ping := range []time.Duration{1, time.Millisecond, 30*time.Millisecond - 1} {
			p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.PingAfter, cfg.DeadAfter = ping, 30*time.Millisecond }))
			for i := range 100 {
				<-time.After(time.Duration(i) * time.Millisecond)
				wantEcho(t, p.conn, "x")
			}
			if got := p.conn.Stats().Sessions; got != 1 {
				t.Errorf("PingAfter %v: %d sessions", ping, got)
			}
			start := time.Now()
			p.link().Stall()
			eventually(t, "the dead link is noticed", func() bool { return p.conn.State() != gridnode.StateConnected })
			n.wantWithin(t, "the dead link", start, ping+100*time.Millisecond)
		}
	})
}

// The longest queue that a Config takes is none that a peer seems not to read.
func TestTheLongestQueueKeepsTheLink(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit = 1 << 30 }))
		<-time.After(time.Minute)
		wantEcho(t, p.conn, "x")
		if got := p.conn.Stats().Sessions; got != 1 {
			t.Errorf("%d sessions", got)
		}
	})
}
