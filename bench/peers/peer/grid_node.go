package peer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

const connectTimeout = 30 * time.Second

// Security says whether nodes use TLS.
type Security uint8

// The two kinds of link.
const (
	Plain Security = iota
	TLS
)

// node is one node of actorgrid, with its listener.
type node struct {
	name     string
	l        net.Listener
	manager  *gridnode.Manager
	serving  sync.WaitGroup
	serveErr error
}

// listenNode makes a node that has its name and nothing else yet.
func listenNode(s Security) (*node, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if s == TLS {
		scheme = "https://"
	}
	return &node{name: scheme + l.Addr().String(), l: l}, nil
}

// start starts the node with these peers. conf is nil without TLS.
func (n *node) start(peers []string, conf *tls.Config) error {
	m, err := gridnode.NewManager(gridnode.Config{Local: n.name, Peers: peers, TLS: conf})
	if err != nil {
		return err
	}
	n.manager = m
	if err := registerGrid(m); err != nil {
		return err
	}
	if err := m.Start(); err != nil {
		return err
	}
	n.serving.Go(func() { n.serveErr = m.Serve(n.l) })
	return nil
}

func (n *node) Addr() string { return n.name }

// Close ends the node, in whatever state it is.
func (n *node) Close() error {
	var err error
	if n.manager != nil {
		err = n.manager.Close()
	}
	n.serving.Wait()
	n.l.Close() // closed already, if the node was serving
	if n.serveErr != nil && !errors.Is(n.serveErr, http.ErrServerClosed) {
		err = errors.Join(err, n.serveErr)
	}
	return err
}

// GridMesh is a number of nodes of actorgrid.
type GridMesh struct{ nodes []*node }

// NewGrid starts n nodes and waits until all are connected with each other.
func NewGrid(n int, s Security) (*GridMesh, error) {
	g := new(GridMesh)
	var names []string
	for range n {
		node, err := listenNode(s)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		g.nodes = append(g.nodes, node)
		names = append(names, node.name)
	}
	var conf *tls.Config
	if s == TLS {
		var err error
		if conf, err = selfSigned(); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	for _, node := range g.nodes {
		if err := node.start(names, conf); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	if err := g.waitConnected(names); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *GridMesh) waitConnected(names []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	for _, node := range g.nodes {
		for _, name := range names {
			if name == node.name {
				continue
			}
			if err := node.manager.Connection(name).WaitForConnect(ctx); err != nil {
				return errors.Join(err, node.manager.Connection(name).Err())
			}
		}
	}
	return nil
}

// Caller returns the echo call from a node to another.
func (g *GridMesh) Caller(from, to int) (Call, error) { return callerOf(g.conn(from, to)), nil }

// inlineMesh is a GridMesh whose calls go to inline handlers.
type inlineMesh struct{ *GridMesh }

func (m inlineMesh) Caller(from, to int) (Call, error) {
	return recyclingCaller(m.conn(from, to), handlerInline), nil
}

// Typed returns the typed echo call from a node to another.
func (g *GridMesh) Typed(from, to int) Call { return typedCaller(g.conn(from, to)) }

func (g *GridMesh) conn(from, to int) *gridnode.Connection {
	return g.nodes[from].manager.Connection(g.nodes[to].name)
}

// OpenIdle opens an echo stream from a node to another.
func (g *GridMesh) OpenIdle(ctx context.Context, from, to int) (Stream, error) {
	return g.conn(from, to).OpenMux(ctx, handlerOf(methodForm, Echo), nil)
}

// Broadcast sends a request from a node to all others, and returns the first error.
func (g *GridMesh) Broadcast(ctx context.Context, from int, req []byte) error {
	return g.broadcast(ctx, from, handlerSingle, req, func([]byte) {})
}

// BroadcastInline is Broadcast to inline handlers; the responses are given back.
func (g *GridMesh) BroadcastInline(ctx context.Context, from int, req []byte) error {
	return g.broadcast(ctx, from, handlerInline, req, gridnode.Recycle)
}

func (g *GridMesh) broadcast(ctx context.Context, from int, h gridnode.HandlerID, req []byte, done func([]byte)) error {
	var failed error
	for _, r := range g.nodes[from].manager.Broadcast(ctx, h, req, gridnode.Fanout{}) {
		if r.Err == nil && len(r.Resp) != len(req) {
			r.Err = errors.New("a response has another length")
		}
		failed = cmp.Or(failed, r.Err)
		done(r.Resp)
	}
	return failed
}

// Close ends all nodes.
func (g *GridMesh) Close() error {
	errs := make([]error, len(g.nodes))
	var wg sync.WaitGroup
	for i, node := range g.nodes {
		wg.Go(func() { errs[i] = node.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
