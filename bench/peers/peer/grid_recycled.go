package peer

import (
	"context"

	"github.com/actorgrid/actorgrid/gridnode"
)

// recycling gives back what was received when the next has come: until then the user
// looks at it.
type recycling struct{ last []byte }

func (r *recycling) next(msg []byte, err error) ([]byte, error) {
	gridnode.Recycle(r.last)
	r.last = msg
	return msg, err
}

// recyclingCaller is for one caller.
func recyclingCaller(conn *gridnode.Connection, h gridnode.HandlerID) Call {
	var r recycling
	return func(ctx context.Context, req []byte) ([]byte, error) {
		return r.next(conn.Request(ctx, h, req))
	}
}

type recyclingServer struct {
	*gridnode.MuxServer
	recycling
}

func (s *recyclingServer) Recv(ctx context.Context) ([]byte, error) {
	return s.next(s.MuxServer.Recv(ctx))
}

type recyclingClient struct {
	*gridnode.MuxClient
	recycling
}

func (c *recyclingClient) Recv(ctx context.Context) ([]byte, error) {
	return c.next(c.MuxClient.Recv(ctx))
}
