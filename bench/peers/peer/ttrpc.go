package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// TTRPC is containerd/ttrpc. It moves protobuf messages only; BytesValue is the
// smallest around bytes.
func TTRPC() *Peer {
	return &Peer{
		Name: "ttrpc", Role: Library, Module: "github.com/containerd/ttrpc", OneConnection: true,
		About: "containerd/ttrpc, google.protobuf.BytesValue", Streams: allKinds,
		Serve: serveTTRPC, NewDialer: anonymous(dialTTRPC),
	}
}

const ttrpcService = "bench"

func ttrpcDesc() *ttrpc.ServiceDesc {
	desc := &ttrpc.ServiceDesc{
		Methods: map[string]ttrpc.Method{
			"single": func(_ context.Context, decode func(any) error) (any, error) {
				req := new(wrapperspb.BytesValue)
				return req, decode(req)
			},
		},
		Streams: make(map[string]ttrpc.Stream),
	}
	for _, kind := range []Kind{Down, Up, Echo} {
		desc.Streams[kind.String()] = ttrpc.Stream{
			StreamingServer: true, StreamingClient: kind != Down,
			Handler: func(ctx context.Context, st ttrpc.StreamServer) (any, error) {
				return nil, handleTTRPC(ctx, kind, ttrpcDuplex{st})
			},
		}
	}
	return desc
}

func handleTTRPC(ctx context.Context, kind Kind, d ttrpcDuplex) error {
	var plan Plan
	if kind == Down {
		b, err := d.Recv(ctx)
		if err != nil {
			return err
		}
		if plan, err = decodePlan(b); err != nil {
			return err
		}
	}
	return serve(ctx, kind, plan, d)
}

type ttrpcServer struct {
	addr string
	s    *ttrpc.Server
	wg   sync.WaitGroup
}

func serveTTRPC(string) (Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return nil, err
	}
	server.RegisterService(ttrpcService, ttrpcDesc())
	s := &ttrpcServer{addr: l.Addr().String(), s: server}
	s.wg.Go(func() { server.Serve(context.Background(), l) })
	return s, nil
}

func (s *ttrpcServer) Addr() string { return s.addr }

func (s *ttrpcServer) Close() error {
	err := s.s.Close()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func dialTTRPC(addr string) (Client, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &ttrpcClient{ttrpc.NewClient(c)}, nil
}

type ttrpcClient struct{ c *ttrpc.Client }

func (c *ttrpcClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		var resp wrapperspb.BytesValue
		err := c.c.Call(ctx, ttrpcService, "single", &wrapperspb.BytesValue{Value: req}, &resp)
		return resp.Value, err
	}, nil
}

func (c *ttrpcClient) Open(ctx context.Context, kind Kind, plan Plan) (Stream, error) {
	desc := &ttrpc.StreamDesc{StreamingServer: true, StreamingClient: kind != Down}
	var first any
	if kind == Down {
		first = &wrapperspb.BytesValue{Value: plan.encode()}
	}
	st, err := c.c.NewStream(ctx, desc, ttrpcService, kind.String(), first)
	if err != nil {
		return nil, err
	}
	return ttrpcStream{ttrpcDuplex{st}, st, kind}, nil
}

func (c *ttrpcClient) Close() error {
	err := c.c.Close()
	wait := c.c.UserOnCloseWait(context.Background())
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, wait)
}

// ttrpcDuplex adapts either side of a stream.
type ttrpcDuplex struct {
	st interface {
		SendMsg(any) error
		RecvMsg(any) error
	}
}

func (d ttrpcDuplex) Send(_ context.Context, msg []byte) error {
	return d.st.SendMsg(&wrapperspb.BytesValue{Value: msg})
}

func (d ttrpcDuplex) Recv(context.Context) ([]byte, error) {
	var msg wrapperspb.BytesValue
	if err := d.st.RecvMsg(&msg); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.EOF
		}
		return nil, err
	}
	return msg.Value, nil
}

type ttrpcStream struct {
	ttrpcDuplex
	st   ttrpc.ClientStream
	kind Kind
}

func (s ttrpcStream) CloseSend() error {
	if s.kind == Down {
		return nil
	}
	return s.st.CloseSend()
}
