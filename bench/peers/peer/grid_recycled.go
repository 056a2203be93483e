package peer

import (
	"context"

	"github.com/actorgrid/actorgrid/gridnode"
)

// What is received is given back when the next is asked for: until then the user looks
// at it.

// recyclingCaller is for one caller.
func recyclingCaller(conn *gridnode.Connection) Call {
	var last []byte
	return func(ctx context.Context, req []byte) (resp []byte, err error) {
		gridnode.Recycle(last)
		last, err = conn.Request(ctx, handlerLent, req)
		return last, err
	}
}

type recyclingServer struct {
	*gridnode.MuxServer
	last []byte
}

func (s *recyclingServer) Recv(ctx context.Context) (msg []byte, err error) {
	gridnode.Recycle(s.last)
	s.last, err = s.MuxServer.Recv(ctx)
	return s.last, err
}

type recyclingClient struct {
	*gridnode.MuxClient
	last []byte
}

func (c *recyclingClient) Recv(ctx context.Context) (msg []byte, err error) {
	gridnode.Recycle(c.last)
	c.last, err = c.MuxClient.Recv(ctx)
	return c.last, err
}
