package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/actorgrid/actorgrid/gridnode"
)

// errDone cancels the endless streams.
var errDone = errors.New("bench: done")

// downStream reads an endless stream. The time of a step is that until the next
// message is there.
type downStream struct {
	st   *gridnode.MuxClient
	size int
}

func openDown(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	st, err := n.conns()[0].OpenMux(ctx, hDown, formatCount(endless))
	return &downStream{st, cfg.Size}, err
}

func (c *downStream) step(ctx context.Context) error {
	msg, err := c.st.Recv(ctx)
	if err != nil {
		return err
	}
	return checkSize("message", len(msg), c.size)
}

func (c *downStream) finish(context.Context) error {
	c.st.Cancel(errDone)
	return nil
}

// upStream feeds an endless stream. The time of a step is that until the window has
// room. In the end it is certain that the handler got all.
type upStream struct {
	st   *gridnode.MuxClient
	msg  []byte
	sent uint64
}

func openUp(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	st, err := n.conns()[0].OpenMux(ctx, hUp, nil)
	return &upStream{st: st, msg: make([]byte, cfg.Size)}, err
}

func (c *upStream) step(ctx context.Context) error {
	c.sent++
	return c.st.Send(ctx, c.msg)
}

func (c *upStream) finish(ctx context.Context) error {
	return endUp(ctx, c.st, c.sent)
}

// endUp ends a stream to an up handler, which must have got this many messages.
func endUp(ctx context.Context, st *gridnode.MuxClient, sent uint64) error {
	if err := st.CloseSend(); err != nil {
		return err
	}
	reply, err := st.Recv(ctx)
	if err != nil {
		return err
	}
	if got := parseCount(reply); got != sent {
		return fmt.Errorf("the handler got %d of %d messages", got, sent)
	}
	return wantEnd(ctx, st)
}

func wantEnd(ctx context.Context, st *gridnode.MuxClient) error {
	switch _, err := st.Recv(ctx); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("a message after the last one")
	default:
		return err
	}
}

// pingPong sends a message and waits for its echo, on one stream.
type pingPong struct {
	st  *gridnode.MuxClient
	msg []byte
}

func openPingPong(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	st, err := n.conns()[0].OpenMux(ctx, hTwoWay, nil)
	return &pingPong{st, make([]byte, cfg.Size)}, err
}

func (c *pingPong) step(ctx context.Context) error {
	if err := c.st.Send(ctx, c.msg); err != nil {
		return err
	}
	msg, err := c.st.Recv(ctx)
	if err != nil {
		return err
	}
	return checkSize("echo", len(msg), len(c.msg))
}

func (c *pingPong) finish(ctx context.Context) error {
	if err := c.st.CloseSend(); err != nil {
		return err
	}
	return wantEnd(ctx, c.st)
}
