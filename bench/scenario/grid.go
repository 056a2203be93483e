package scenario

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Grid is a number of connected nodes: all in this process, or the first here and
// the others each in a process of its own. One Pass at a time runs on it.
type Grid struct {
	cfg      Config
	topology Topology
	nodes    []*node  // in this process, in order
	children []*child // processes with the other nodes
}

// Start starts the nodes, connects all pairs, and waits until they are. If file
// descriptors do not suffice for all pairs it connects fewer; see Topology.
func Start(ctx context.Context, cfg Config) (*Grid, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var cert *certificate
	if cfg.TLS {
		if cert, err = newCertificate(); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	g := &Grid{cfg: cfg}
	if cfg.Processes {
		err = g.startProcesses(ctx, cert)
	} else {
		err = g.startHere(ctx, cert)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// Config returns the grid's configuration, defaults filled in.
func (g *Grid) Config() Config { return g.cfg }

// Topology tells which nodes are connected.
func (g *Grid) Topology() Topology { return g.topology }

// startHere starts the nodes one after the other, each connected with those before
// it: all at once, they would all knock at each other, with twice the sockets.
func (g *Grid) startHere(ctx context.Context, cert *certificate) error {
	topology, err := newTopology(g.cfg.Nodes, descriptorLimit())
	if err != nil {
		return err
	}
	g.topology = topology
	b := &blueprint{cfg: g.cfg, topology: topology}
	if b.tls, err = cert.config(); err != nil {
		return err
	}
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners[len(g.nodes):] { // those that no node owns
			l.Close()
		}
	}()
	for range g.cfg.Nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		b.names = append(b.names, g.cfg.scheme()+l.Addr().String())
	}
	for i, l := range listeners {
		if err := g.addNode(ctx, b, i, l); err != nil {
			return err
		}
		g.cfg.Progress(i+1, g.cfg.Nodes)
	}
	for _, n := range g.nodes { // the same, seen from the other side
		if err := n.connected(ctx, n.peers); err != nil {
			return err
		}
	}
	return nil
}

// addNode starts node i and connects it with those before it.
func (g *Grid) addNode(ctx context.Context, b *blueprint, i int, l net.Listener) error {
	n, err := b.newNode(i, l)
	if err != nil {
		return err
	}
	g.nodes = append(g.nodes, n)
	if err := n.start(); err != nil {
		return err
	}
	var before []string
	for _, p := range b.topology.Peers(i) {
		if p < i {
			before = append(before, b.names[p])
		}
	}
	return n.connected(ctx, before)
}

// Close ends all nodes, at the same time, and the other processes.
func (g *Grid) Close() error {
	errs := make([]error, len(g.nodes)+len(g.children))
	var closing sync.WaitGroup
	for i, n := range g.nodes {
		closing.Go(func() { errs[i] = n.close() })
	}
	for i, c := range g.children {
		closing.Go(func() { errs[len(g.nodes)+i] = c.close() })
	}
	closing.Wait()
	return errors.Join(errs...)
}
