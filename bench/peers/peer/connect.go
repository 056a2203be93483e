package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"connectrpc.com/connect"
)

// Connect is connect-go over HTTP/2 without TLS, both sides net/http.
func Connect() *Peer {
	return &Peer{
		Name: "connect", Role: Library, Module: "connectrpc.com/connect", OneConnection: true,
		About: "connect-go, Connect protocol, raw-bytes codec, no compression, h2c of net/http", Streams: allKinds,
		Serve: serveConnect, NewDialer: anonymous(dialConnect),
	}
}

// raw is a message.
type raw struct{ b []byte }

// rawCodec moves *raw. It copies in both directions, as connect reuses what Marshal
// returns and what Unmarshal is given.
type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (c rawCodec) Marshal(v any) ([]byte, error) { return c.MarshalAppend(nil, v) }

// MarshalAppend is what connect prefers.
func (rawCodec) MarshalAppend(dst []byte, v any) ([]byte, error) {
	r, ok := v.(*raw)
	if !ok {
		return nil, fmt.Errorf("not raw: %T", v)
	}
	return append(dst, r.b...), nil
}

func (rawCodec) Unmarshal(b []byte, v any) error {
	r, ok := v.(*raw)
	if !ok {
		return fmt.Errorf("not raw: %T", v)
	}
	r.b = append(make([]byte, 0, len(b)), b...)
	return nil
}

// maxStreams is above every number of concurrent calls that is measured, so that
// net/http has no reason for a second connection.
const maxStreams = 1 << 17

func connectMux() http.Handler {
	plain := connect.WithHandlerOptions(connect.WithCodec(rawCodec{}), connect.WithCompression("gzip", nil, nil))
	mux := http.NewServeMux()
	mux.Handle("/bench/single", connect.NewUnaryHandler("/bench/single", func(_ context.Context, req *connect.Request[raw]) (*connect.Response[raw], error) {
		return connect.NewResponse(req.Msg), nil
	}, plain))
	for _, kind := range []Kind{Down, Up, Echo} {
		path := "/bench/" + kind.String()
		mux.Handle(path, connect.NewBidiStreamHandler(path, func(ctx context.Context, st *connect.BidiStream[raw, raw]) error {
			return handleConnect(ctx, kind, connectServerStream{st})
		}, plain))
	}
	return mux
}

func handleConnect(ctx context.Context, kind Kind, d connectServerStream) error {
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

type connectServer struct {
	addr string
	http http.Server
	wg   sync.WaitGroup
}

func serveConnect(string) (Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &connectServer{addr: l.Addr().String()}
	s.http = http.Server{Handler: connectMux(), Protocols: unencryptedHTTP2(), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams}}
	s.wg.Go(func() { s.http.Serve(l) })
	return s, nil
}

func unencryptedHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

func (s *connectServer) Addr() string { return s.addr }

func (s *connectServer) Close() error {
	err := s.http.Close()
	s.wg.Wait()
	return err
}

func dialConnect(addr string) (Client, error) {
	t := &http.Transport{Protocols: unencryptedHTTP2()}
	c := &connectClient{transport: t, streams: make(map[Kind]*connect.Client[raw, raw])}
	client := &http.Client{Transport: t}
	plain := connect.WithClientOptions(connect.WithCodec(rawCodec{}), connect.WithAcceptCompression("gzip", nil, nil))
	c.single = connect.NewClient[raw, raw](client, "http://"+addr+"/bench/single", plain)
	for _, kind := range []Kind{Down, Up, Echo} {
		c.streams[kind] = connect.NewClient[raw, raw](client, "http://"+addr+"/bench/"+kind.String(), plain)
	}
	return c, nil
}

type connectClient struct {
	transport *http.Transport
	single    *connect.Client[raw, raw]
	streams   map[Kind]*connect.Client[raw, raw]
}

func (c *connectClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		resp, err := c.single.CallUnary(ctx, connect.NewRequest(&raw{req}))
		if err != nil {
			return nil, err
		}
		return resp.Msg.b, nil
	}, nil
}

func (c *connectClient) Open(ctx context.Context, kind Kind, plan Plan) (Stream, error) {
	s := connectStream{c.streams[kind].CallBidiStream(ctx)}
	if kind != Down {
		return s, nil
	}
	return s, errors.Join(s.Send(ctx, plan.encode()), s.CloseSend())
}

func (c *connectClient) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

type connectServerStream struct{ st *connect.BidiStream[raw, raw] }

func (s connectServerStream) Send(_ context.Context, msg []byte) error { return s.st.Send(&raw{msg}) }

func (s connectServerStream) Recv(context.Context) ([]byte, error) {
	return connectRecv(s.st.Receive())
}

type connectStream struct {
	st *connect.BidiStreamForClient[raw, raw]
}

func (s connectStream) Send(_ context.Context, msg []byte) error { return s.st.Send(&raw{msg}) }
func (s connectStream) CloseSend() error                         { return s.st.CloseRequest() }

func (s connectStream) Recv(context.Context) ([]byte, error) {
	b, err := connectRecv(s.st.Receive())
	if err != nil {
		s.st.CloseResponse()
	}
	return b, err
}

func connectRecv(m *raw, err error) ([]byte, error) {
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	return m.b, nil
}
