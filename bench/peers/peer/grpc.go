package peer

import (
	"context"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// GRPC is grpc-go with a codec that moves plain bytes, one connection.
func GRPC() *Peer {
	return &Peer{
		Name: "grpc", Role: Library, Module: "google.golang.org/grpc", OneConnection: true,
		About: "grpc-go, raw-bytes codec, one ClientConn", Streams: allKinds,
		Serve: serveGRPC, NewDialer: anonymous(dialGRPC),
	}
}

// bytesCodec moves *[]byte. Marshal does not copy; Unmarshal does, once.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("not bytes: %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("not bytes: %T", v)
	}
	*b = data.Materialize()
	return nil
}

func grpcDesc() *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{
		ServiceName: "bench",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "single", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			req := new([]byte)
			return req, decode(req)
		}}},
	}
	for _, kind := range []Kind{Down, Up, Echo} {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName: kind.String(), ServerStreams: true, ClientStreams: kind != Down,
			Handler: func(_ any, st grpc.ServerStream) error { return handleGRPC(kind, st) },
		})
	}
	return desc
}

func handleGRPC(kind Kind, st grpc.ServerStream) error {
	d := grpcDuplex{st}
	var plan Plan
	if kind == Down {
		b, err := d.Recv(st.Context())
		if err != nil {
			return err
		}
		if plan, err = decodePlan(b); err != nil {
			return err
		}
	}
	return serve(st.Context(), kind, plan, d)
}

type grpcServer struct {
	addr string
	s    *grpc.Server
	wg   sync.WaitGroup
}

func serveGRPC(string) (Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &grpcServer{addr: l.Addr().String(), s: grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}))}
	s.s.RegisterService(grpcDesc(), nil)
	s.wg.Go(func() { s.s.Serve(l) })
	return s, nil
}

func (s *grpcServer) Addr() string { return s.addr }

func (s *grpcServer) Close() error {
	s.s.Stop()
	s.wg.Wait()
	return nil
}

func dialGRPC(addr string) (Client, error) {
	c, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})))
	if err != nil {
		return nil, err
	}
	return &grpcClient{c}, nil
}

type grpcClient struct{ conn *grpc.ClientConn }

func (c *grpcClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		var resp []byte
		err := c.conn.Invoke(ctx, "/bench/single", &req, &resp)
		return resp, err
	}, nil
}

func (c *grpcClient) Open(ctx context.Context, kind Kind, plan Plan) (Stream, error) {
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: kind != Down}
	st, err := c.conn.NewStream(ctx, desc, "/bench/"+kind.String())
	if err != nil {
		return nil, err
	}
	s := grpcStream{grpcDuplex{st}, st}
	if kind != Down {
		return s, nil
	}
	if err := s.Send(ctx, plan.encode()); err != nil {
		return nil, err
	}
	return s, st.CloseSend()
}

func (c *grpcClient) Close() error { return c.conn.Close() }

// grpcDuplex adapts either side of a stream.
type grpcDuplex struct {
	st interface {
		SendMsg(any) error
		RecvMsg(any) error
	}
}

func (d grpcDuplex) Send(_ context.Context, msg []byte) error { return d.st.SendMsg(&msg) }

func (d grpcDuplex) Recv(context.Context) ([]byte, error) {
	var msg []byte
	err := d.st.RecvMsg(&msg)
	return msg, err
}

type grpcStream struct {
	grpcDuplex
	st grpc.ClientStream
}

func (s grpcStream) CloseSend() error { return s.st.CloseSend() }
