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

// noticedWithin is promise 9 with the default configuration.
const noticedWithin = 10 * time.Second

// A black hole is noticed in time by both sides, and by all calls that wait, also
// right after a reconnect; when it goes away, the link is back.
func TestAStalledPeerIsNoticedInTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*testing.T, *gridtest.Cluster)
	}{
		{"idle for a minute", func(*testing.T, *gridtest.Cluster) { time.Sleep(time.Minute) }},
		{"right after a reconnect", func(t *testing.T, c *gridtest.Cluster) {
			was := sessions(c)
			c.Link(0, 1).Cut()
			reconnected(t, c, was)
		}},
		{"between two ticks", func(*testing.T, *gridtest.Cluster) { time.Sleep(4300 * time.Millisecond) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				grid := gridtest.NewCluster(t, 2, handlers(l))
				c.before(t, grid)
				stallAndResume(t, grid, l)
			})
		})
	}
}

func stallAndResume(t *testing.T, c *gridtest.Cluster, l *ledger) {
	t.Helper()
	stalled := time.Now()
	c.Link(0, 1).Stall()
	var calls sync.WaitGroup
	for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
		for _, kind := range []func(context.Context, *gridnode.Connection, plan) error{l.single, l.down, l.bothByChan} {
			for _, size := range []int{30, 1 << 20} {
				calls.Go(func() { // ends when the stall is noticed
					// What did not get out completely is known not to have run.
					end := l.callOnce(conn, kind, plan{size: size, items: 3})
					if end != lost && (end != unsent || size < 1<<20) {
						t.Errorf("a call into a black hole ended as %v", end)
					}
					if d := time.Since(stalled); d > noticedWithin {
						t.Errorf("a call into a black hole ended after %v", d)
					}
				})
			}
		}
	}
	calls.Wait()
	for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
		if end := l.callOnce(conn, l.single, plan{}); end != unsent {
			t.Errorf("a call after the loss ended as %v", end)
		}
	}
	was := sessions(c)
	c.Link(0, 1).Resume()
	reconnected(t, c, was)
	l.settle(t)
}

// Promise 8: a link that moves bytes, however slowly, is never killed.
func TestASlowLinkIsNotKilled(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  int // bytes per second
		bytes int
	}{
		{"100 KB/s", 100 << 10, 3 << 20},
		{"20 KB/s", 20 << 10, 1 << 20},
		{"5 KB/s", 5 << 10, 300 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				grid := gridtest.NewCluster(t, 2, handlers(l), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { cfg.CallTimeout = -1 }))
				grid.Link(0, 1).Throttle(c.rate)
				begin := time.Now()
				if end := l.callOnce(grid.Conn(0, 1), l.single, plan{size: c.bytes}); end != complete {
					t.Errorf("%d bytes and back at %d bytes/s ended as %v: %v", c.bytes, c.rate, end, grid.Conn(0, 1).Err())
				}
				if end := l.callOnce(grid.Conn(1, 0), l.down, plan{size: c.bytes / 4, items: 4}); end != complete {
					t.Errorf("a stream at %d bytes/s ended as %v: %v", c.rate, end, grid.Conn(1, 0).Err())
				}
				if took := time.Since(begin); took < 3*time.Duration(c.bytes/c.rate)*time.Second*9/10 {
					t.Errorf("the link was not slow: %v", took)
				}
				wantSessions(t, grid, 1)
				l.settle(t)
			})
		})
	}
}

// wantSessions checks that the pair connected so often and no more.
func wantSessions(t *testing.T, c *gridtest.Cluster, want uint64) {
	t.Helper()
	for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
		if st := conn.Stats(); st.Sessions != want {
			t.Errorf("%s: %d sessions, want %d; the last ended with %v", conn.Remote(), st.Sessions, want, conn.Err())
		}
	}
}

// Promise 9: no false alarm under load, over a link that is always full.
func TestAFullLinkRaisesNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := gridtest.NewCluster(t, 2, handlers(l), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { cfg.CallTimeout = -1 }))
		c.Link(0, 1).Throttle(300 << 10)
		w := startWorkload(c, l, seeded(t), 10)
		time.Sleep(time.Minute) // the bubble's
		w.cancel()
		c.Link(0, 1).Throttle(0)
		w.stop(t)
		wantSessions(t, c, 1)
		if l.ended(lost)+l.ended(unsent) > 0 || l.ended(complete) < 100 {
			t.Error(l)
		}
		t.Log(l)
	})
}

// 24-05-15: a consumer that does not read for many ping intervals keeps its stream, at
// both ends, with all that was sent.
func TestAStalledConsumerKeepsItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := gridtest.NewCluster(t, 2, handlers(l))
		p := plan{id: l.open(), size: 40, items: 100}
		st, err := c.Conn(0, 1).OpenMux(t.Context(), hDown, p.message(0))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // 20 ping intervals
		if l.end(p.id, l.drain(p, st)) != complete {
			t.Error("the stream did not survive")
		}
		wantSessions(t, c, 1)
		l.settle(t)
	})
}
