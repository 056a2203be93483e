package test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// network is one way from a caller to a handler.
type network struct {
	name     string
	kind     gridtest.Network
	caller   int // 0 dials 1, so the two directions of a link differ
	handlers int // the node whose handlers are called; the caller itself on the loopback
}

var (
	memory   = network{"memory", gridtest.Memory, 0, 1}
	reverse  = network{"reverse", gridtest.Memory, 1, 0}
	tcp      = network{"tcp", gridtest.TCP, 0, 1}
	overTLS  = network{"tls", gridtest.TLS, 1, 0}
	loopback = network{"loopback", gridtest.Memory, 0, 0}

	links    = []network{memory, reverse, tcp, overTLS}
	networks = append([]network{loopback}, links...)
)

// virtual reports whether the test's clock is a bubble's: time then passes only
// while everything waits, and measures are exact.
func (n network) virtual() bool { return n.kind == gridtest.Memory }

// unhurried is a deadline for what must be under way when it is over: d, or, where the
// machine may pause in between, more.
func (n network) unhurried(d time.Duration) time.Duration {
	if n.virtual() {
		return d
	}
	return max(d, 250*time.Millisecond)
}

// untilUnderWay tries with a deadline of d, or, where the machine may have paused, with
// later ones, until all was under way when it was over.
func (n network) untilUnderWay(t *testing.T, d time.Duration, try func(deadline time.Duration) bool) {
	t.Helper()
	for d = n.unhurried(d); !try(d); d *= 4 {
		if n.virtual() || d > patience {
			t.Fatalf("within %v not all was under way", d)
		}
	}
}

// onEveryNetwork runs one behaviour over all networks, the loopback too.
func onEveryNetwork(t *testing.T, run func(t *testing.T, n *rig)) {
	t.Helper()
	onEach(t, networks, run)
}

// onEveryLink is onEveryNetwork for behaviours that need a link: one that breaks, say.
func onEveryLink(t *testing.T, run func(t *testing.T, n *rig)) {
	t.Helper()
	onEach(t, links, run)
}

func onEach(t *testing.T, over []network, run func(t *testing.T, n *rig)) {
	t.Helper()
	onAll(t, over, func(*testing.T) {}, run)
}

// atOnce is onEach for a behaviour that mostly waits for the clock: over all networks at
// once. It is not for one that counts what is the process's. Beside other tests, which
// t.Parallel of its caller allows, only what gives no peer up after less than seconds runs:
// they may need the processors.
func atOnce(t *testing.T, over []network, run func(t *testing.T, n *rig)) {
	t.Helper()
	onAll(t, over, (*testing.T).Parallel, run)
}

func onAll(t *testing.T, over []network, begin func(t *testing.T), run func(t *testing.T, n *rig)) {
	t.Helper()
	for _, n := range over {
		body := func(t *testing.T) {
			b := &rig{network: n}
			run(t, b)
			for _, p := range b.pairs {
				p.wantIdle(t)
			}
		}
		t.Run(n.name, func(t *testing.T) {
			begin(t)
			if n.virtual() {
				synctest.Test(t, body)
			} else {
				body(t)
			}
		})
	}
}

// inVirtualTime runs a behaviour over the in-memory network alone: one that takes
// minutes, or is about exact times.
func inVirtualTime(t *testing.T, run func(t *testing.T, n *rig)) {
	t.Helper()
	onEach(t, []network{memory, reverse}, run)
}

// rig is where one behaviour runs. It builds pairs of nodes and remembers them, so
// that they are checked when the behaviour has ended.
type rig struct {
	network
	pairs []*pair
}

// pair is a caller and a node with handlers; they are one node on the loopback.
type pair struct {
	*gridtest.Cluster
	caller, server int
	conn           *gridnode.Connection // the caller's, to the server
	back           *gridnode.Connection // the server's, to the caller; conn itself on the loopback
}

// pair starts two connected nodes, both with the common handlers and those of opts.
func (b *rig) pair(t *testing.T, opts ...gridtest.Option) *pair {
	t.Helper()
	nodes := max(b.caller, b.handlers) + 1
	opts = append([]gridtest.Option{gridtest.WithNetwork(b.kind), common()}, opts...)
	p := &pair{Cluster: gridtest.NewCluster(t, nodes, opts...), caller: b.caller, server: b.handlers}
	p.bind()
	b.pairs = append(b.pairs, p)
	return p
}

// cluster starts n connected nodes with the common handlers and those of opts.
func (b *rig) cluster(t *testing.T, n int, opts ...gridtest.Option) *gridtest.Cluster {
	t.Helper()
	return gridtest.NewCluster(t, n, append([]gridtest.Option{gridtest.WithNetwork(b.kind), common()}, opts...)...)
}

// bind looks up the connections; again after a node was started anew.
func (p *pair) bind() {
	p.conn, p.back = p.Conn(p.caller, p.server), p.Conn(p.server, p.caller)
}

// link is what is between the two nodes.
func (p *pair) link() *gridtest.Link { return p.Link(p.caller, p.server) }
