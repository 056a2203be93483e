package scenario

import (
	"context"
	"fmt"

	"github.com/actorgrid/actorgrid/gridnode"
)

// short opens one stream of ten messages after the other.
type short struct {
	conn *gridnode.Connection
	cfg  Config
	msg  []byte
	run  shortStream
}

// shortStream runs a whole stream.
type shortStream func(ctx context.Context, c *short) error

func openShort(run shortStream) func(context.Context, *node, int, Config) (caller, error) {
	return func(_ context.Context, n *node, _ int, cfg Config) (caller, error) {
		return &short{n.conns()[0], cfg, make([]byte, cfg.Size), run}, nil
	}
}

func (c *short) step(ctx context.Context) error { return c.run(ctx, c) }
func (c *short) finish(context.Context) error   { return nil }

func shortDown(ctx context.Context, c *short) error {
	st, err := c.conn.OpenMux(ctx, hDown, formatCount(tenMessages))
	if err != nil {
		return err
	}
	return c.receive(ctx, st)
}

// receive reads the ten messages and the end.
func (c *short) receive(ctx context.Context, st *gridnode.MuxClient) error {
	n := 0
	for msg, err := range st.All(ctx) {
		if err != nil {
			return err
		}
		if err := checkSize("message", len(msg), len(c.msg)); err != nil {
			st.Cancel(err)
			return err
		}
		n++
	}
	return wantTen(n)
}

func wantTen(n int) error {
	if n != tenMessages {
		return fmt.Errorf("%d messages in a stream of %d", n, tenMessages)
	}
	return nil
}

func (c *short) send(ctx context.Context, st *gridnode.MuxClient) error {
	for range tenMessages {
		if err := st.Send(ctx, c.msg); err != nil {
			st.Cancel(err)
			return err
		}
	}
	return nil
}

func shortUp(ctx context.Context, c *short) error {
	st, err := c.conn.OpenMux(ctx, hUp, nil)
	if err != nil {
		return err
	}
	if err := c.send(ctx, st); err != nil {
		return err
	}
	return endUp(ctx, st, tenMessages)
}

// shortBoth sends all before it receives: the window takes ten.
func shortBoth(ctx context.Context, c *short) error {
	st, err := c.conn.OpenMux(ctx, hTwoWay, nil)
	if err != nil {
		return err
	}
	if err := c.send(ctx, st); err != nil {
		return err
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	return c.receive(ctx, st)
}

func shortChanBoth(ctx context.Context, c *short) error {
	st, err := c.conn.NewStream(ctx, hChanTwoWay, nil)
	if err != nil {
		return err
	}
	for range tenMessages {
		st.Requests <- c.msg
	}
	close(st.Requests)
	n := 0
	err = st.Results(func(msg []byte) error {
		n++
		return checkSize("message", len(msg), len(c.msg))
	})
	if err != nil {
		return err
	}
	return wantTen(n)
}
