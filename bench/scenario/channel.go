package scenario

import (
	"context"
	"errors"
	"fmt"

	"github.com/actorgrid/actorgrid/gridnode"
)

// errEarly is a stream that ended before its caller wanted it to.
var errEarly = errors.New("the stream ended early")

// channels is an endless stream through channels; the callers below are what the
// ones in stream.go are through methods.
type channels struct {
	st     *gridnode.Stream
	cancel context.CancelFunc
	msg    []byte // sent over and over: the stream only reads it
}

func openChannels(ctx context.Context, n *node, h gridnode.HandlerID, payload []byte, cfg Config) (channels, error) {
	ctx, cancel := context.WithCancel(ctx)
	st, err := n.conns()[0].NewStream(ctx, h, payload)
	if err != nil {
		cancel()
	}
	return channels{st, cancel, make([]byte, cfg.Size)}, err
}

// receive returns the next message.
func (c *channels) receive(ctx context.Context) ([]byte, error) {
	select {
	case r, ok := <-c.st.Responses:
		if !ok {
			return nil, errEarly
		}
		return r.Msg, r.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *channels) send(ctx context.Context) error {
	select {
	case c.st.Requests <- c.msg:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end closes the sending side and reads to the clean end.
func (c *channels) end() error {
	defer c.cancel()
	close(c.st.Requests)
	return c.st.Results(func([]byte) error { return errors.New("a message after the last one") })
}

type chanDownStream struct{ channels }

func openChanDown(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	c, err := openChannels(ctx, n, hChanDown, formatCount(endless), cfg)
	return &chanDownStream{c}, err
}

func (c *chanDownStream) step(ctx context.Context) error {
	msg, err := c.receive(ctx)
	if err != nil {
		return err
	}
	return checkSize("message", len(msg), len(c.msg))
}

func (c *chanDownStream) finish(context.Context) error {
	c.cancel()
	for range c.st.Responses { // until the pump has ended
	}
	return nil
}

type chanUpStream struct {
	channels
	sent uint64
}

func openChanUp(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	c, err := openChannels(ctx, n, hChanUp, nil, cfg)
	return &chanUpStream{channels: c}, err
}

func (c *chanUpStream) step(ctx context.Context) error {
	c.sent++
	return c.send(ctx)
}

func (c *chanUpStream) finish(ctx context.Context) error {
	defer c.cancel()
	close(c.st.Requests)
	reply, err := c.receive(ctx)
	if err != nil {
		return err
	}
	if got := parseCount(reply); got != c.sent {
		return fmt.Errorf("the handler got %d of %d messages", got, c.sent)
	}
	return c.st.Results(func([]byte) error { return errors.New("a message after the last one") })
}

type chanPingPong struct{ channels }

func openChanPingPong(ctx context.Context, n *node, _ int, cfg Config) (caller, error) {
	c, err := openChannels(ctx, n, hChanTwoWay, nil, cfg)
	return &chanPingPong{c}, err
}

func (c *chanPingPong) step(ctx context.Context) error {
	if err := c.send(ctx); err != nil {
		return err
	}
	msg, err := c.receive(ctx)
	if err != nil {
		return err
	}
	return checkSize("echo", len(msg), len(c.msg))
}

func (c *chanPingPong) finish(context.Context) error { return c.end() }
