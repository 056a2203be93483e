package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/yamux"
)

// Yamux is hashicorp/yamux with a stream per call.
func Yamux() *Peer {
	return &Peer{
		Name: "yamux", Role: Library, Module: "github.com/hashicorp/yamux", OneConnection: true,
		About: "hashicorp/yamux, a stream per call, length-prefixed messages", Streams: allKinds,
		Serve: serveYamux, NewDialer: anonymous(func(addr string) (Client, error) { return dialYamux(addr, perCall) }),
	}
}

// YamuxReused is hashicorp/yamux with a stream per caller.
func YamuxReused() *Peer {
	return &Peer{
		Name: "yamux-reused", Role: Library, Module: "github.com/hashicorp/yamux", OneConnection: true,
		About: "hashicorp/yamux, each caller keeps one stream for all its calls",
		Serve: serveYamux, NewDialer: anonymous(func(addr string) (Client, error) { return dialYamux(addr, perCaller) }),
	}
}

// yamuxUse says how long a stream for singles lives.
type yamuxUse uint8

const (
	perCall yamuxUse = iota
	perCaller
)

// yamuxSingle is the buffer of a stream that may live for one call only.
const yamuxSingle = 1 << 10

func yamuxBuffer(kind byte) int {
	if kind == single {
		return yamuxSingle
	}
	return smallBuffer
}

func yamuxConfig() *yamux.Config {
	cfg := yamux.DefaultConfig()
	cfg.LogOutput = io.Discard
	return cfg
}

func serveYamux(string) (Server, error) {
	return listen(func(c net.Conn) {
		session, err := yamux.Server(c, yamuxConfig())
		if err != nil {
			return
		}
		defer session.Close()
		var streams sync.WaitGroup
		defer streams.Wait()
		for {
			st, err := session.Accept()
			if err != nil {
				return
			}
			streams.Go(func() {
				defer st.Close()
				serveFramed(st, yamuxBuffer)
			})
		}
	})
}

func dialYamux(addr string, use yamuxUse) (Client, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	session, err := yamux.Client(c, yamuxConfig())
	if err != nil {
		return nil, err
	}
	return &yamuxClient{session: session, use: use}, nil
}

type yamuxClient struct {
	session *yamux.Session
	use     yamuxUse
}

func (c *yamuxClient) open() (*framed, error) {
	st, err := c.session.Open()
	if err != nil {
		return nil, err
	}
	return openFramed(st, single, Plan{}, yamuxSingle)
}

func (c *yamuxClient) Caller(int) (Call, error) {
	if c.use == perCall {
		return c.callOnce, nil
	}
	f, err := c.open() // ends with the session
	if err != nil {
		return nil, err
	}
	return f.call, nil
}

func (c *yamuxClient) callOnce(ctx context.Context, req []byte) ([]byte, error) {
	f, err := c.open()
	if err != nil {
		return nil, err
	}
	resp, err := f.call(ctx, req)
	return resp, errors.Join(err, f.conn.Close())
}

func (c *yamuxClient) Open(_ context.Context, kind Kind, plan Plan) (Stream, error) {
	st, err := c.session.Open()
	if err != nil {
		return nil, err
	}
	f, err := openFramed(st, byte(kind), plan, smallBuffer)
	return yamuxStream{f}, err
}

func (c *yamuxClient) Close() error { return c.session.Close() }

// yamuxStream closes the stream at its end.
type yamuxStream struct{ *framed }

func (s yamuxStream) Recv(ctx context.Context) ([]byte, error) {
	msg, err := s.framed.Recv(ctx)
	if err != nil {
		s.conn.Close()
	}
	return msg, err
}
