package chaos

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// 24-02-21 and 24-06-20: callers of both sides fill tiny send queues, so that every
// reader has answers to give which nobody takes; the link hangs, breaks, and works
// again. All calls return, and the link is back.
func TestAFloodThroughTinyQueuesEndsWithTheLink(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { flood(t, gridtest.Memory, 2000) })
	})
	t.Run("tcp", func(t *testing.T) { flood(t, gridtest.TCP, 2000) })
	t.Run("tls", func(t *testing.T) { flood(t, gridtest.TLS, 2000) })
}

func flood(t *testing.T, network gridtest.Network, callers int) {
	l := newLedger()
	c := gridtest.NewCluster(t, 2, gridtest.WithNetwork(network), handlers(l), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) {
		cfg.QueueLimit = 64 << 10
	}))
	conns := []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)}
	kinds := []func(context.Context, *gridnode.Connection, plan) error{l.single, l.single, l.down, l.both}
	c.Link(0, 1).Stall()
	var calls sync.WaitGroup
	for i := range callers {
		for _, conn := range conns {
			// Ends with the link, at the latest.
			calls.Go(func() { l.callOnce(conn, kinds[i%len(kinds)], plan{size: 1 << 10, items: 20}) })
		}
	}
	eventually(t, "the queues are full", 10*time.Second, func() bool {
		return conns[0].Stats().QueuedBytes >= 64<<10 && conns[1].Stats().QueuedBytes >= 64<<10
	})
	c.Link(0, 1).Throttle(4 << 20) // so that it is not over at once
	c.Link(0, 1).Resume()
	eventually(t, "some of it gets through", 10*time.Second, func() bool { return l.ended(complete) > callers/20 })
	c.Link(0, 1).Cut()
	c.Link(0, 1).Throttle(0)
	calls.Wait()
	c.WaitConnected()
	if l.ended(lost) == 0 {
		t.Errorf("the flood was over before the cut: %v", l)
	}
	for _, conn := range conns {
		eventually(t, "a call after the flood", backWithin, func() bool { return l.callOnce(conn, l.both, plan{items: 10}) == complete })
		wantIdle(t, conn)
	}
	l.settle(t)
	t.Log(l)
}
