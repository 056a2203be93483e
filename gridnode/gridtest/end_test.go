package gridtest_test

import (
	"context"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// What a test leaves as it is at its end: the cluster's end copes. A bubble checks that no
// goroutine is left in it.
var leftovers = map[string]func(t *testing.T, c *gridtest.Cluster){
	"nothing":     func(*testing.T, *gridtest.Cluster) {},
	"a stop":      func(_ *testing.T, c *gridtest.Cluster) { c.Stop(1) },
	"a cut":       func(_ *testing.T, c *gridtest.Cluster) { c.Link(0, 1).Cut() },
	"a partition": func(_ *testing.T, c *gridtest.Cluster) { c.Link(0, 1).Partition() },
	"a delay":     func(_ *testing.T, c *gridtest.Cluster) { c.Link(0, 1).Delay(time.Hour); send(c) },
	"a throttle":  func(_ *testing.T, c *gridtest.Cluster) { c.Link(0, 1).Throttle(1); send(c) },
	"a stall":     func(_ *testing.T, c *gridtest.Cluster) { c.Link(0, 1).Stall(); send(c) },
	"a stalled dial": func(_ *testing.T, c *gridtest.Cluster) {
		c.Link(0, 1).Stall()
		c.Link(0, 1).Cut()
	},
}

// send leaves something on the way.
func send(c *gridtest.Cluster) {
	ctx, cancel := context.WithTimeout(context.Background(), aWhile/5)
	defer cancel()
	c.Conn(0, 1).Request(ctx, hEcho, pattern(100_000))
}

func TestNoGoroutineOutlivesTheTestWhateverItLeaves(t *testing.T) {
	for name, leave := range leftovers {
		t.Run(name, func(t *testing.T) {
			on(t, all, func(t *testing.T, kind gridtest.Network) { leave(t, cluster(t, 2, kind)) })
			goleak.VerifyNone(t)
		})
	}
}

func TestBareConnectionsAreBrokenAtTheEndOfTheTest(t *testing.T) {
	var left [2]net.Conn
	t.Run("leaves one", func(t *testing.T) {
		w := newWires(t, gridtest.TCP)
		var err error
		if left[0], err = w.tryDial(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left[1], err = w.listener.Accept(); err != nil {
			t.Fatal(err)
		}
		w.Stall()
	})
	for _, c := range left {
		defer c.Close()
		wantBroken(t, c, nil)
	}
}
