package gridtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// connectTimeout bounds WaitConnected, in the test's time.
const connectTimeout = 20 * time.Second

// Cluster is a grid of nodes 0 to n-1. Its methods are for the test's goroutine,
// but Node, Conn, Link and Dial may be called from any, whatever the test does.
type Cluster struct {
	tb       testing.TB
	settings settings
	net      network
	names    []string

	mu    sync.RWMutex // guards nodes and the manager in each
	nodes []*node
}

// network is what the cluster needs to know of its network.
type network interface {
	listen(addr string) (net.Listener, error)
	// dialer returns the Config.Dial of the node with this address.
	dialer(from string) func(ctx context.Context, network, addr string) (net.Conn, error)
	link(a, b string) faults
	// config is for dialling and serving; nil without TLS.
	config() *tls.Config
	// close ends the goroutines of the network and waits for them.
	close()
}

// node is one running node, or the memory of a stopped one.
type node struct {
	manager *gridnode.Manager // the last; nil before the first
	running bool
	serving sync.WaitGroup
	err     error // of Serve, once serving is done
}

// NewCluster starts n nodes, connects all pairs, and arranges for all of it to be
// closed at the end of the test. Whatever fails, fails the test at once.
func NewCluster(tb testing.TB, n int, opts ...Option) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb, settings: settings{wait: true}}
	for _, o := range opts {
		o(&c.settings)
	}
	for i := range n {
		c.names = append(c.names, c.NameOf(fmt.Sprintf("node%d", i)))
	}
	c.net = c.newNetwork()
	tb.Cleanup(c.close)
	for i := range n {
		c.nodes = append(c.nodes, &node{})
		c.Start(i)
	}
	if c.settings.wait {
		c.WaitConnected()
	}
	return c
}

func (c *Cluster) newNetwork() network {
	if c.settings.network == Memory {
		return newMemory()
	}
	l := newLoopback()
	if c.settings.network == TLS {
		config, err := newCertificate(append(c.names, c.settings.peers...))
		if err != nil {
			c.tb.Fatalf("gridtest: certificate: %v", err)
		}
		l.tls = config
	}
	return l
}

// NameOf returns the name that a node on this host has in this cluster.
func (c *Cluster) NameOf(host string) string {
	if c.settings.network == TLS {
		return "https://" + host + ":9000"
	}
	return "http://" + host + ":9000"
}

// Start starts node i, again if it was stopped: a new process under the old name. A
// node that runs, and whatever fails, fails the test at once.
func (c *Cluster) Start(i int) {
	c.tb.Helper()
	if c.Node(i) != nil {
		c.tb.Fatalf("gridtest: node %d: it is running", i)
	}
	cfg := gridnode.Config{Local: c.names[i], Dial: c.net.dialer(address(c.names[i])), TLS: c.net.config()}
	cfg.Peers = append(append(cfg.Peers, c.names...), c.settings.peers...)
	for _, f := range c.settings.config {
		f(i, &cfg)
	}
	m, err := gridnode.NewManager(cfg)
	if err != nil {
		c.tb.Fatalf("gridtest: node %d: %v", i, err)
	}
	for _, f := range c.settings.handlers {
		if err := f(i, m); err != nil {
			c.tb.Fatalf("gridtest: handlers of node %d: %v", i, err)
		}
	}
	l, err := c.net.listen(address(c.names[i]))
	if err != nil {
		c.tb.Fatalf("gridtest: node %d: %v", i, err)
	}
	if err := m.Start(); err != nil {
		l.Close()
		c.tb.Fatalf("gridtest: start of node %d: %v", i, err)
	}
	n := &node{manager: m, running: true}
	n.serving.Go(func() { n.err = m.Serve(l) }) // ends with Close; Stop waits
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[i] = n
}

// Stop closes node i and waits for its end. An error of Close or Serve fails the
// test.
func (c *Cluster) Stop(i int) {
	c.tb.Helper()
	n := c.nodes[i]
	if !n.running {
		return
	}
	if err := n.manager.Close(); err != nil {
		c.tb.Errorf("gridtest: Close of node %d: %v", i, err)
	}
	n.serving.Wait()
	if !errors.Is(n.err, http.ErrServerClosed) {
		c.tb.Errorf("gridtest: Serve of node %d: %v", i, n.err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.running = false
}

func (c *Cluster) close() {
	c.tb.Helper()
	for i := range c.nodes {
		c.Stop(i)
	}
	c.net.close()
}

// Len returns the number of nodes.
func (c *Cluster) Len() int { return len(c.nodes) }

// Name returns the name of node i.
func (c *Cluster) Name(i int) string { return c.names[i] }

// Node returns node i; nil while it is stopped.
func (c *Cluster) Node(i int) *gridnode.Manager {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if n := c.nodes[i]; n.running {
		return n.manager
	}
	return nil
}

// Conn returns what node from calls node to by. With from equal to to, it is the
// node's loopback connection. That of a stopped node is closed.
func (c *Cluster) Conn(from, to int) *gridnode.Connection {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.nodes[from].manager.Connection(c.names[to])
}

// Link returns the link between two nodes.
func (c *Cluster) Link(a, b int) *Link {
	return &Link{c.net.link(address(c.names[a]), address(c.names[b]))}
}

// WaitConnected waits until all pairs of running nodes are connected, seen from both
// sides.
func (c *Cluster) WaitConnected() {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	for from, n := range c.nodes {
		for to, peer := range c.nodes {
			if !n.running || !peer.running {
				continue
			}
			conn := c.Conn(from, to)
			if err := conn.WaitForConnect(ctx); err != nil {
				c.tb.Fatalf("gridtest: node %d to node %d: %v (%v: %v)", from, to, err, conn.State(), conn.Err())
			}
		}
	}
}

// Listen listens under the name of a peer that the test plays, one of WithPeers or a
// stopped node. Over TLS the listener speaks TLS. The caller closes it.
func (c *Cluster) Listen(name string) (net.Listener, error) {
	l, err := c.net.listen(address(name))
	if err == nil && c.net.config() != nil {
		l = tls.NewListener(l, c.net.config())
	}
	return l, err
}

// Dial opens a bare connection to node i, for a test that plays a peer. Over TLS the
// handshake of TLS is done. The caller closes it.
func (c *Cluster) Dial(ctx context.Context, i int) (net.Conn, error) {
	conn, err := c.net.dialer("outside:0")(ctx, "tcp", address(c.names[i]))
	if err != nil || c.net.config() == nil {
		return conn, err
	}
	config := c.net.config().Clone()
	config.ServerName, _, _ = net.SplitHostPort(address(c.names[i]))
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// TLS returns the configuration that trusts the cluster and is trusted by it; nil
// without TLS.
func (c *Cluster) TLS() *tls.Config { return c.net.config() }
