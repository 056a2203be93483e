package chaos

import (
	"context"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// Nodes that are parted stay connected to the others, fail fast to each other, and are
// together again within the longest pause between two attempts.
func TestAPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := gridtest.NewCluster(t, 3, handlers(l))
		c.Link(0, 1).Partition()
		time.Sleep(time.Minute) // so that the pauses have grown to their longest
		for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
			if end := l.callOnce(conn, l.single, plan{}); end != unsent {
				t.Errorf("a call over a partition ended as %v", end)
			}
		}
		for _, conn := range []*gridnode.Connection{c.Conn(0, 2), c.Conn(2, 0), c.Conn(1, 2), c.Conn(2, 1)} {
			if end := l.callOnce(conn, l.both, plan{items: 10}); end != complete || conn.Stats().Sessions != 1 {
				t.Errorf("a call beside the partition ended as %v, %d sessions", end, conn.Stats().Sessions)
			}
		}
		c.Link(0, 1).Heal()
		healed := time.Now()
		for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
			if err := conn.WaitForConnect(t.Context()); err != nil {
				t.Error(err)
			}
			if end := l.callOnce(conn, l.single, plan{}); end != complete {
				t.Errorf("a call after the partition ended as %v", end)
			}
		}
		if took := time.Since(healed); took > 5500*time.Millisecond {
			t.Errorf("together again after %v", took)
		}
		l.settle(t)
	})
}

// All links of a grid break at the same moment, again and again, under load.
func TestAReconnectStormIsOver(t *testing.T) {
	l := newLedger()
	c := gridtest.NewCluster(t, 5, gridtest.WithNetwork(gridtest.TCP), handlers(l))
	w := startWorkload(c, l, seeded(t), 1)
	for range 5 {
		done := w.done.Load()
		for a := range c.Len() {
			for b := range a {
				c.Link(a, b).Cut()
			}
		}
		eventually(t, "calls go through again", backWithin, func() bool { return w.done.Load() > done+100 })
	}
	w.stop(t)
	c.WaitConnected()
	for a := range c.Len() {
		for b := range c.Len() {
			if a != b && l.callOnce(c.Conn(a, b), l.single, plan{}) != complete {
				t.Errorf("no call from %d to %d", a, b)
			}
		}
	}
	l.settle(t)
	t.Log(l)
}

// A node that was started again is a new instance, one whose link broke is not; both
// sides count correctly.
func TestARestartIsToldFromABlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gridtest.NewCluster(t, 2, handlers(newLedger()))
		for i, restarted := range []int{1, 0, 1} {
			c.Stop(restarted)
			c.Start(restarted)
			c.WaitConnected()
			was := sessions(c)
			c.Link(0, 1).Cut()
			reconnected(t, c, was)
			kept, fresh := c.Conn(1-restarted, restarted).Stats(), c.Conn(restarted, 1-restarted).Stats()
			if kept.Restarts != 1 || fresh.Restarts != 0 {
				t.Errorf("restart %d: %d restarts counted by who stayed, %d by who was restarted", i, kept.Restarts, fresh.Restarts)
			}
		}
	})
}

// 24-02-28: a peer whose name does not resolve at first is connected when it does, with
// no restart.
func TestANameThatResolvesLaterIsConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var known atomic.Bool
		l := newLedger()
		c := gridtest.NewCluster(t, 2, handlers(l), gridtest.WithoutWait(), onDial(func(_ int, dial dialFunc) dialFunc {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				if !known.Load() {
					return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
				}
				return dial(ctx, network, addr)
			}
		}))
		time.Sleep(time.Hour)
		if end := l.callOnce(c.Conn(0, 1), l.single, plan{}); end != unsent {
			t.Errorf("a call to an unknown host ended as %v", end)
		}
		known.Store(true)
		resolvable := time.Now()
		c.WaitConnected()
		if took := time.Since(resolvable); took > 5500*time.Millisecond {
			t.Errorf("connected after %v", took)
		}
		if end := l.callOnce(c.Conn(0, 1), l.single, plan{}); end != complete {
			t.Errorf("a call ended as %v", end)
		}
		l.settle(t)
	})
}

// Everything at once, as long as -chaos.duration says: cuts, stalls, delays, partitions
// and restarts of a grid under load.
func TestSoak(t *testing.T) {
	const nodes = 4
	seed := seeded(t)
	r := rand.New(rand.NewPCG(seed, 2))
	l := newLedger()
	c := gridtest.NewCluster(t, nodes, gridtest.WithNetwork(gridtest.TCP), handlers(l),
		gridtest.WithConfig(func(_ int, cfg *gridnode.Config) {
			cfg.PingAfter, cfg.DeadAfter, cfg.ReconnectMax = time.Second, 3*time.Second, time.Second
		}))
	begin, duration := time.Now(), max(*flagDuration, time.Second)
	for round := uint64(0); time.Since(begin) < duration; round++ {
		w := startWorkload(c, l, seed+round*1000, 1)
		for range 10 {
			disturb(t, c, r)
			goal := w.done.Load() + 20
			eventually(t, "calls go through", 30*time.Second, func() bool { return w.done.Load() > goal })
		}
		w.stop(t)
		if round%8 == 7 {
			i := r.IntN(nodes)
			c.Stop(i)
			c.Start(i)
		}
		c.WaitConnected()
		if t.Failed() {
			break
		}
	}
	t.Logf("%v: %v", time.Since(begin).Round(time.Second), l)
}

// disturb does something to a link, and undoes what lasts.
func disturb(t *testing.T, c *gridtest.Cluster, r *rand.Rand) {
	a := r.IntN(c.Len())
	link := c.Link(a, (a+1+r.IntN(c.Len()-1))%c.Len())
	switch r.IntN(5) {
	case 0:
		link.Stall()
	case 1:
		link.Partition()
	case 2:
		link.Delay(5 * time.Millisecond)
	case 3:
		link.CutAfter(r.IntN(1 << 20))
	case 4:
		link.Cut()
	}
	select {
	case <-time.After(time.Duration(r.IntN(50)) * time.Millisecond):
	case <-t.Context().Done():
	}
	link.Resume()
	link.Heal()
	link.Delay(0)
}
