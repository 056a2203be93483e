package test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// dialled counts the connections that each node has dialled and that are still open.
type dialled struct {
	mu   sync.Mutex
	open []map[string]int // per node: address to connections
}

// countedConn leaves the count when it is closed.
type countedConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}

func (d *dialled) add(node int, addr string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[node][addr] += n
}

// counting makes the nodes count.
func (d *dialled) counting(n int) gridtest.Option {
	for range n {
		d.open = append(d.open, make(map[string]int))
	}
	return gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		dial := cfg.Dial
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			d.add(i, addr, 1)
			return &countedConn{Conn: conn, leave: func() { d.add(i, addr, -1) }}, nil
		}
	})
}

// total returns how many connections a node has dialled, and to whom more than one.
func (d *dialled) total(node int) (n int, twice []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for addr, k := range d.open[node] {
		n += k
		if k > 1 {
			twice = append(twice, addr)
		}
	}
	return n, twice
}

// E2: of 35 nodes each pair has exactly one connection, which exactly one of them has
// dialled; and each node dials at least 10 of its 34 peers.
func TestOfEachPairExactlyOneDials(t *testing.T) {
	t.Parallel() // its clock is its own
	synctest.Test(t, func(t *testing.T) {
		const nodes = 35
		var d dialled
		c := gridtest.NewCluster(t, nodes, d.counting(nodes))
		<-time.After(time.Minute)
		all := 0
		for i := range nodes {
			n, twice := d.total(i)
			if n < 10 || n > 24 || len(twice) > 0 {
				t.Errorf("node %d has dialled %d of 34 peers, twice: %v", i, n, twice)
			}
			all += n
			for j := range i {
				if a, b := c.Conn(i, j).Stats(), c.Conn(j, i).Stats(); a.Sessions != 1 || b.Sessions != 1 {
					t.Errorf("nodes %d and %d have had %d and %d sessions, want 1", i, j, a.Sessions, b.Sessions)
				}
			}
		}
		if want := nodes * (nodes - 1) / 2; all != want {
			t.Errorf("%d connections, want %d", all, want)
		}
	})
}

// 24-02-28 51874a577: a peer whose name cannot be resolved at the start, or which does
// not run yet, connects soon after it can, without a restart of anybody.
func TestAPeerThatComesLaterIsConnected(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		late := n.handlers
		var mu sync.Mutex
		unresolvable := true
		p := n.pair(t, gridtest.WithoutWait(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				if unresolvable {
					return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
				}
				return dial(ctx, network, addr)
			}
		}))
		_, err := p.conn.Request(t.Context(), hEcho, nil)
		wantIs(t, err, gridnode.ErrNotSent)
		<-time.After(time.Hour)
		mu.Lock()
		unresolvable = false
		mu.Unlock()
		start := time.Now()
		p.WaitConnected()
		n.wantWithin(t, "the connection", start, 5*time.Second) // Config.ReconnectMax
		p.Stop(late)
		<-time.After(time.Hour)
		p.Start(late)
		start = time.Now()
		p.WaitConnected()
		n.wantWithin(t, "the connection to a node started anew", start, 200*time.Millisecond) // it knocks
		p.bind()
		p.serves(t)
	})
}
