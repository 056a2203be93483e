package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	// handshakeTimeout is longer than the default: nodes start one after the other,
	// and who dials one that is not yet serving waits for it.
	handshakeTimeout = time.Minute
	connectTimeout   = time.Minute
)

// node is one node of the grid, in this process.
type node struct {
	index   int
	manager *gridnode.Manager
	peers   []string // connected to, nearest first
	listen  net.Listener
	serving sync.WaitGroup
	err     error // of Serve, once serving is done
}

// blueprint is what all nodes of a grid have in common.
type blueprint struct {
	cfg      Config
	tls      *tls.Config
	topology Topology
	names    []string
}

// newNode makes node i with its handlers; nothing runs yet. It owns l.
func (b *blueprint) newNode(i int, l net.Listener) (*node, error) {
	n := &node{index: i, listen: l}
	for _, p := range b.topology.Peers(i) {
		n.peers = append(n.peers, b.names[p])
	}
	var err error
	n.manager, err = gridnode.NewManager(gridnode.Config{
		Local:            b.names[i],
		Peers:            n.peers,
		TLS:              b.tls,
		HandshakeTimeout: handshakeTimeout,
	})
	if err != nil {
		return nil, err
	}
	return n, register(n.manager, b.cfg)
}

// start begins to dial and to serve; close ends it.
func (n *node) start() error {
	if err := n.manager.Start(); err != nil {
		return err
	}
	n.serving.Go(func() { n.err = n.manager.Serve(n.listen) }) // ends with the node; close waits
	return nil
}

// connected waits for the connections to these peers.
func (n *node) connected(ctx context.Context, peers []string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for _, name := range peers {
		conn := n.manager.Connection(name)
		if err := conn.WaitForConnect(ctx); err != nil {
			return fmt.Errorf("node %d does not reach %s: %w (%v)", n.index, name, err, conn.Err())
		}
	}
	return nil
}

// conns returns the connections to all peers.
func (n *node) conns() []*gridnode.Connection {
	var conns []*gridnode.Connection
	for _, name := range n.peers {
		conns = append(conns, n.manager.Connection(name))
	}
	return conns
}

func (n *node) close() error {
	err := n.manager.Close()
	n.listen.Close() // Serve has done so, if it was called
	n.serving.Wait()
	if n.err != nil && !errors.Is(n.err, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("node %d: serve: %w", n.index, n.err))
	}
	return err
}
