package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

const (
	backWithin  = 5 * time.Second  // from a cut until calls go through again, both ways
	cutExpected = 30 * time.Second // from arming a cut until traffic has reached it
)

// cutter breaks the link between nodes 0 and 1 in every way, again and again.
type cutter struct {
	t       *testing.T
	r       *rand.Rand
	cluster *gridtest.Cluster
	work    *workload
	cuts    int
	down    []time.Duration // from each immediate cut until calls went through both ways
}

// cut breaks the link once, waits until it is back, and lets some calls through.
func (c *cutter) cut() {
	link := c.cluster.Link(0, 1)
	a, b := c.cluster.Conn(0, 1), c.cluster.Conn(1, 0)
	was := [2]uint64{a.Stats().Sessions, b.Stats().Sessions}
	begin, bound := time.Now(), backWithin
	immediate := false
	switch c.r.IntN(10) {
	case 0, 1, 2, 3:
		link.Cut()
		immediate = true
	case 4, 5, 6: // within one frame
		link.CutAfter(1 + c.r.IntN(40<<10))
		bound += cutExpected
	case 7, 8: // within a large message
		link.CutAfter(1 + c.r.IntN(2<<20))
		bound += cutExpected
	case 9: // and again while shaking hands
		link.CutAfter(c.r.IntN(2500))
		link.Cut()
		c.cuts++
	}
	c.cuts++
	eventually(c.t, "a new session on both sides", bound, func() bool {
		return a.Stats().Sessions > was[0] && b.Stats().Sessions > was[1]
	})
	link.CutAfter(-1)
	c.wantCalls(a)
	c.wantCalls(b)
	if immediate {
		c.down = append(c.down, time.Since(begin))
	}
	c.letThrough(int64(c.r.IntN(60)))
}

// wantCalls makes small calls until one goes through.
func (c *cutter) wantCalls(conn *gridnode.Connection) {
	c.t.Helper()
	eventually(c.t, "a call that goes through", backWithin, func() bool {
		p := plan{id: c.work.ledger.open(), size: 100}
		ctx, cancel := context.WithTimeout(context.Background(), backWithin)
		defer cancel()
		return c.work.ledger.end(p.id, c.work.ledger.single(ctx, conn, p)) == complete
	})
}

// letThrough waits until n more calls have been served.
func (c *cutter) letThrough(n int64) {
	c.t.Helper()
	goal := c.work.done.Load() + n
	eventually(c.t, fmt.Sprintf("%d calls between two cuts", n), 30*time.Second, func() bool { return c.work.done.Load() >= goal })
}

// downtimes tells how long the pair was without calls after an immediate cut.
func (c *cutter) downtimes() string {
	if len(c.down) == 0 {
		return "no immediate cuts"
	}
	slices.Sort(c.down)
	return fmt.Sprintf("back after p50 %v, p99 %v, max %v", at(c.down, 0.5), at(c.down, 0.99), at(c.down, 1))
}
