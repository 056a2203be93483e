package chaos

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// A cut before each single byte of the opening exchange: HTTP, hello and answer, in
// both directions. Whatever either side believes then, both are connected soon.
func TestACutAtEveryByteOfTheHandshakeIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := newLedger(), &meter{}
		c := gridtest.NewCluster(t, 2, handlers(l), m.option())
		link := c.Link(0, 1)
		handshake := m.during(func() {
			was := sessions(c)
			link.Cut()
			reconnected(t, c, was)
		})
		if handshake < 200 {
			t.Fatalf("a handshake of %d bytes", handshake)
		}
		for offset := 0; offset <= handshake; offset += underRace {
			was := sessions(c)
			link.CutAfter(offset)
			link.Cut()
			reconnected(t, c, was)
			if end := l.callOnce(c.Conn(0, 1), l.single, plan{size: 50}); end != complete && end != lost {
				t.Errorf("offset %d: a call ended as %v", offset, end)
			}
			link.CutAfter(-1)
			reconnected(t, c, was)
			for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
				if end := l.callOnce(conn, l.single, plan{size: 50}); end != complete {
					t.Fatalf("offset %d of %d: a call to %s afterwards ended as %v", offset, handshake, conn.Remote(), end)
				}
			}
		}
		l.settle(t)
		t.Logf("%d offsets: %v", handshake+1, l)
	})
}

// sessions are how often each side of the pair has been up.
func sessions(c *gridtest.Cluster) [2]uint64 {
	return [2]uint64{c.Conn(0, 1).Stats().Sessions, c.Conn(1, 0).Stats().Sessions}
}

// reconnected waits until both sides have had a session more than before, and are up.
func reconnected(t *testing.T, c *gridtest.Cluster, before [2]uint64) {
	t.Helper()
	eventually(t, "connected again", backWithin, func() bool {
		synctest.Wait() // until all events have been seen
		now := sessions(c)
		return now[0] > before[0] && now[1] > before[1] &&
			c.Conn(0, 1).State() == gridnode.StateConnected && c.Conn(1, 0).State() == gridnode.StateConnected
	})
}

// callOnce makes one call as planned and accounts for it.
func (l *ledger) callOnce(conn *gridnode.Connection, kind func(context.Context, *gridnode.Connection, plan) error, p plan) outcome {
	p.id = l.open()
	return l.end(p.id, kind(context.Background(), conn, p))
}

// A cut before each byte of a call, of each kind: its end is the whole result or the
// loss, and never a part of the result.
func TestACutAtEveryByteOfACallIsNeverAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := newLedger(), &meter{}
		c := gridtest.NewCluster(t, 2, handlers(l), m.option())
		for _, k := range []struct {
			name string
			call func(context.Context, *gridnode.Connection, plan) error
			plan plan
			step int // offsets between two cuts
		}{
			{"single", l.single, plan{size: 60}, 1},
			{"failing single", l.single, plan{size: 60, end: endFailing}, 1},
			{"single in fragments", l.single, plan{size: 150 << 10}, 9007},
			{"stream down", l.down, plan{size: 40, items: 5}, 1},
			{"failing stream down", l.down, plan{size: 40, items: 5, end: endFailing}, 1},
			{"stream down, channels", l.responses, plan{size: 40, items: 5}, 1},
			{"two-way stream", l.both, plan{size: 40, items: 6}, 3},
			{"two-way stream, channels", l.bothByChan, plan{size: 40, items: 4}, 3},
			{"two-way stream in fragments", l.both, plan{size: 70 << 10, items: 2}, 11003},
		} {
			bytes := m.during(func() {
				l.callOnce(c.Conn(0, 1), k.call, k.plan)
				synctest.Wait()
			})
			ends := map[outcome]int{}
			for offset := 0; offset <= bytes; offset += k.step * underRace {
				ends[cutCall(t, c, l, k.call, k.plan, offset)]++
			}
			t.Logf("%s: %d bytes: %v", k.name, bytes, ends)
			// Not sent is right for what has not gone out completely: it cannot have run.
			if ends[lost] == 0 || ends[timedOut] > 0 {
				t.Errorf("%s: ends %v", k.name, ends)
			}
			if end := cutCall(t, c, l, k.call, k.plan, 2*bytes); end != complete && end != planned {
				t.Errorf("%s: ended as %v before the cut", k.name, end)
			}
		}
		l.settle(t)
	})
}

// cutCall makes a call from each side that is cut after so many bytes. It returns the
// end of that from node 0.
func cutCall(t *testing.T, c *gridtest.Cluster, l *ledger, call func(context.Context, *gridnode.Connection, plan) error, p plan, offset int) outcome {
	t.Helper()
	var ends [2]outcome
	for from := range ends {
		was := sessions(c)
		c.Link(0, 1).CutAfter(offset)
		ends[from] = l.callOnce(c.Conn(from, 1-from), call, p)
		synctest.Wait()
		c.Link(0, 1).CutAfter(-1)
		c.Link(0, 1).Cut() // in case the cut was still to come
		reconnected(t, c, was)
	}
	return ends[0]
}
