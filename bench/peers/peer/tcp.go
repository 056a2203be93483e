package peer

import (
	"context"
	"errors"
	"net"
	"sync"
)

// TCP is the first floor: each caller has a connection of its own, writes to it,
// and reads from it in its own goroutine.
func TCP() *Peer {
	return &Peer{
		Name: "tcp", Role: Floor, About: "ping-pong over raw TCP, a connection per caller, no multiplexing",
		Streams: allKinds, Serve: serveTCP,
		NewDialer: anonymous(func(addr string) (Client, error) { return &tcpClient{addr: addr}, nil }),
	}
}

// TCPOneConnection is the same with one connection, which the callers take turns
// to use.
func TCPOneConnection() *Peer {
	return &Peer{
		Name: "tcp-1conn", Role: Floor, About: "ping-pong over raw TCP, one connection, a mutex", OneConnection: true,
		Serve: serveTCP,
		NewDialer: anonymous(func(addr string) (Client, error) {
			return &tcpTurns{tcp: tcpClient{addr: addr}}, nil
		}),
	}
}

func serveTCP(string) (Server, error) {
	return listen(func(c net.Conn) { serveFramed(c, bufferFor) })
}

type tcpClient struct {
	addr string

	mu    sync.Mutex
	conns []net.Conn
}

func (c *tcpClient) dial() (net.Conn, error) {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return conn, nil
}

func (c *tcpClient) Caller(int) (Call, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	f, err := openFramed(conn, single, Plan{}, smallBuffer)
	if err != nil {
		return nil, err
	}
	return f.call, nil
}

// Open opens a connection for the stream.
func (c *tcpClient) Open(_ context.Context, kind Kind, plan Plan) (Stream, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	return openFramed(conn, byte(kind), plan, bufferFor(byte(kind)))
}

func (c *tcpClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, conn := range c.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// tcpTurns lets callers take turns on one connection.
type tcpTurns struct {
	tcp tcpClient

	mu   sync.Mutex
	call Call // nil until the first caller
}

func (c *tcpTurns) Caller(int) (Call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.call == nil {
		call, err := c.tcp.Caller(0)
		if err != nil {
			return nil, err
		}
		c.call = call
	}
	var mine []byte // the next turn overwrites what call returns
	return func(ctx context.Context, req []byte) ([]byte, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		resp, err := c.call(ctx, req)
		mine = append(mine[:0], resp...)
		return mine, err
	}, nil
}

func (c *tcpTurns) Close() error { return c.tcp.Close() }
