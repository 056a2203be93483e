package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcpool"
	"storj.io/drpc/drpcserver"
)

// DRPC is storj/drpc with one connection, on which calls take turns.
func DRPC() *Peer {
	return &Peer{
		Name: "drpc", Role: Library, Module: "storj.io/drpc", OneConnection: true,
		About: "storj/drpc, raw bytes, one connection: one call or stream at a time", Streams: allKinds,
		Serve: serveDRPC, NewDialer: anonymous(func(addr string) (Client, error) {
			conn, err := dialDRPC(addr)
			return &drpcClient{conn: conn}, err
		}),
	}
}

// DRPCPool is storj/drpc with its connection pool.
func DRPCPool() *Peer {
	return &Peer{
		Name: "drpc-pool", Role: Library, Module: "storj.io/drpc",
		About: "storj/drpc, raw bytes, drpcpool: a connection per concurrent call", Streams: allKinds,
		Serve: serveDRPC, NewDialer: anonymous(dialDRPCPool),
	}
}

// drpcBytes moves *[]byte.
type drpcBytes struct{}

func (drpcBytes) Marshal(msg drpc.Message) ([]byte, error) {
	b, ok := msg.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("not bytes: %T", msg)
	}
	return *b, nil
}

func (drpcBytes) Unmarshal(buf []byte, msg drpc.Message) error {
	b, ok := msg.(*[]byte)
	if !ok {
		return fmt.Errorf("not bytes: %T", msg)
	}
	*b = append(make([]byte, 0, len(buf)), buf...)
	return nil
}

// drpcHandler serves all methods, without the reflection of drpcmux.
type drpcHandler struct{}

func (drpcHandler) HandleRPC(st drpc.Stream, rpc string) error {
	d, ctx := drpcStream{st}, st.Context()
	switch rpc {
	case "single":
		msg, err := d.Recv(ctx)
		if err != nil {
			return err
		}
		return d.Send(ctx, msg)
	case Down.String():
		b, err := d.Recv(ctx)
		if err != nil {
			return err
		}
		plan, err := decodePlan(b)
		if err != nil {
			return err
		}
		return serveDown(ctx, plan, d)
	case Up.String():
		return serveUp(ctx, d)
	case Echo.String():
		return serveEcho(ctx, d)
	}
	return errors.New("unknown method " + rpc)
}

type drpcServer struct {
	addr   string
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func serveDRPC(string) (Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &drpcServer{addr: l.Addr().String(), cancel: cancel}
	s.wg.Go(func() { drpcserver.New(drpcHandler{}).Serve(ctx, l) })
	return s, nil
}

func (s *drpcServer) Addr() string { return s.addr }

func (s *drpcServer) Close() error {
	s.cancel()
	s.wg.Wait()
	return nil
}

func dialDRPC(addr string) (drpc.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return drpcconn.New(c), nil
}

func dialDRPCPool(addr string) (Client, error) {
	pool := drpcpool.New[string, drpcpool.Conn](drpcpool.Options{})
	conn := pool.Get(context.Background(), addr, func(_ context.Context, addr string) (drpcpool.Conn, error) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		return drpcconn.New(c), nil
	})
	return &drpcClient{conn: conn, pool: pool.Close}, nil
}

type drpcClient struct {
	conn drpc.Conn
	pool func() error // closes the pool, if there is one
}

func (c *drpcClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		var resp []byte
		err := c.conn.Invoke(ctx, "single", drpcBytes{}, &req, &resp)
		return resp, err
	}, nil
}

func (c *drpcClient) Open(ctx context.Context, kind Kind, plan Plan) (Stream, error) {
	st, err := c.conn.NewStream(ctx, kind.String(), drpcBytes{})
	if err != nil {
		return nil, err
	}
	s := drpcClientStream{drpcStream{st}}
	if kind != Down {
		return s, nil
	}
	return s, errors.Join(s.Send(ctx, plan.encode()), s.CloseSend())
}

func (c *drpcClient) Close() error {
	err := c.conn.Close()
	if c.pool != nil {
		err = errors.Join(err, c.pool())
	}
	return err
}

// drpcStream adapts either side of a stream.
type drpcStream struct{ st drpc.Stream }

func (s drpcStream) Send(_ context.Context, msg []byte) error {
	return s.st.MsgSend(&msg, drpcBytes{})
}

func (s drpcStream) Recv(context.Context) ([]byte, error) {
	var msg []byte
	err := s.st.MsgRecv(&msg, drpcBytes{})
	return msg, err
}

func (s drpcStream) CloseSend() error { return s.st.CloseSend() }

// drpcClientStream closes the stream at its end, which returns its connection to a
// pool.
type drpcClientStream struct{ drpcStream }

func (s drpcClientStream) Recv(ctx context.Context) ([]byte, error) {
	msg, err := s.drpcStream.Recv(ctx)
	if err != nil {
		s.st.Close()
	}
	return msg, err
}
