package scenario

import (
	"context"

	"github.com/actorgrid/actorgrid/gridnode"
)

// recycledSingle is single to a handler that its request is lent to, by a caller that
// gives the response back.
type recycledSingle struct {
	single
	handler gridnode.HandlerID
}

func openRecycledSingle(h gridnode.HandlerID) func(context.Context, *node, int, Config) (caller, error) {
	return func(_ context.Context, n *node, _ int, cfg Config) (caller, error) {
		return &recycledSingle{single{n.conns()[0], make([]byte, cfg.Size)}, h}, nil
	}
}

func (c *recycledSingle) step(ctx context.Context) error {
	resp, err := c.conn.Request(ctx, c.handler, c.req)
	if err != nil {
		return err
	}
	defer gridnode.Recycle(resp)
	return checkSize("response", len(resp), len(c.req))
}

// recycledDown is downStream by a caller that gives the messages back.
type recycledDown struct{ downStream }

func openRecycledDown(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	st, err := n.conns()[0].OpenMux(ctx, hDown, formatCount(endless))
	return &recycledDown{downStream{st, cfg.Size}}, err
}

func (c *recycledDown) step(ctx context.Context) error {
	msg, err := c.st.Recv(ctx)
	if err != nil {
		return err
	}
	defer gridnode.Recycle(msg)
	return checkSize("message", len(msg), c.size)
}
