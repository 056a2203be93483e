package scenario

import (
	"context"
	"fmt"

	"github.com/actorgrid/actorgrid/gridnode"
)

// single calls one peer again and again.
type single struct {
	conn *gridnode.Connection
	req  []byte
}

func openSingle(_ context.Context, n *node, _ int, cfg Config) (caller, error) {
	return &single{n.conns()[0], make([]byte, cfg.Size)}, nil
}

func (c *single) step(ctx context.Context) error { return request(ctx, c.conn, c.req) }
func (c *single) finish(context.Context) error   { return nil }

func request(ctx context.Context, conn *gridnode.Connection, req []byte) error {
	resp, err := conn.Request(ctx, hEcho, req)
	if err != nil {
		return err
	}
	return checkSize("response", len(resp), len(req))
}

// allToAll calls all peers in turn; the callers of a node begin at different ones.
type allToAll struct {
	conns []*gridnode.Connection
	next  int
	req   []byte
}

func openAllToAll(_ context.Context, n *node, i int, cfg Config) (caller, error) {
	conns := n.conns()
	return &allToAll{conns, i % len(conns), make([]byte, cfg.Size)}, nil
}

func (c *allToAll) step(ctx context.Context) error {
	conn := c.conns[c.next]
	if c.next++; c.next == len(c.conns) {
		c.next = 0
	}
	return request(ctx, conn, c.req)
}

func (c *allToAll) finish(context.Context) error { return nil }

// broadcast calls all peers at once.
type broadcast struct {
	manager *gridnode.Manager
	peers   int
	req     []byte
}

func openBroadcast(_ context.Context, n *node, _ int, cfg Config) (caller, error) {
	return &broadcast{n.manager, len(n.peers), make([]byte, cfg.Size)}, nil
}

func (c *broadcast) step(ctx context.Context) error {
	results := c.manager.Broadcast(ctx, hEcho, c.req, gridnode.Fanout{})
	if len(results) != c.peers {
		return fmt.Errorf("%d answers from %d peers", len(results), c.peers)
	}
	for _, r := range results {
		if r.Err != nil {
			return fmt.Errorf("%s: %w", r.Peer, r.Err)
		}
		if err := checkSize("response", len(r.Resp), len(c.req)); err != nil {
			return err
		}
	}
	return nil
}

func (c *broadcast) finish(context.Context) error { return nil }
