package peer

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
)

// NetRPC is net/rpc with a codec for plain bytes in place of gob.
func NetRPC() *Peer {
	return &Peer{
		Name: "netrpc", Role: Library, About: "net/rpc of the standard library, raw-bytes codec, no cancellation", OneConnection: true,
		Serve: serveNetRPC,
		NewDialer: anonymous(func(addr string) (Client, error) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return nil, err
			}
			return &netrpcClient{rpc.NewClientWithCodec(netrpcClientCodec{newNetrpcConn(c)})}, nil
		}),
	}
}

// Bench is the service; net/rpc wants it exported.
type Bench struct{}

// Single echoes.
func (Bench) Single(req *[]byte, resp *[]byte) error {
	*resp = *req
	return nil
}

func serveNetRPC(string) (Server, error) {
	s := rpc.NewServer()
	if err := s.Register(Bench{}); err != nil {
		return nil, err
	}
	return listen(func(c net.Conn) { s.ServeCodec(netrpcServerCodec{newNetrpcConn(c)}) })
}

type netrpcClient struct{ c *rpc.Client }

func (c *netrpcClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		var resp []byte
		call := c.c.Go("Bench.Single", &req, &resp, make(chan *rpc.Call, 1))
		select {
		case <-call.Done:
			return resp, call.Error
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, nil
}

func (c *netrpcClient) Close() error { return c.c.Close() }

// netrpcConn moves two strings and a body per message.
type netrpcConn struct {
	c    net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	body *uint32 // length of the body that comes next
}

func newNetrpcConn(c net.Conn) *netrpcConn {
	return &netrpcConn{c: c, r: bufio.NewReader(c), w: bufio.NewWriter(c), body: new(uint32)}
}

// write sends one message: number, method, error, body.
func (c *netrpcConn) write(seq uint64, method, failure string, body any) error {
	var payload []byte
	if b, ok := body.(*[]byte); ok {
		payload = *b
	}
	var head [16]byte
	binary.BigEndian.PutUint64(head[:], seq)
	binary.BigEndian.PutUint16(head[8:], uint16(len(method)))
	binary.BigEndian.PutUint16(head[10:], uint16(len(failure)))
	binary.BigEndian.PutUint32(head[12:], uint32(len(payload)))
	c.w.Write(head[:])
	c.w.WriteString(method)
	c.w.WriteString(failure)
	c.w.Write(payload)
	return c.w.Flush()
}

func (c *netrpcConn) readHeader() (seq uint64, method, failure string, err error) {
	var head [16]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, "", "", err
	}
	m, f := int(binary.BigEndian.Uint16(head[8:])), int(binary.BigEndian.Uint16(head[10:]))
	names := make([]byte, m+f)
	if _, err := io.ReadFull(c.r, names); err != nil {
		return 0, "", "", err
	}
	if *c.body = binary.BigEndian.Uint32(head[12:]); *c.body > MaxMessage {
		return 0, "", "", fmt.Errorf("message of %d bytes, limit %d", *c.body, MaxMessage)
	}
	return binary.BigEndian.Uint64(head[:]), string(names[:m]), string(names[m:]), nil
}

func (c *netrpcConn) readBody(body any) error {
	if body == nil {
		_, err := c.r.Discard(int(*c.body))
		return err
	}
	b, ok := body.(*[]byte)
	if !ok {
		return errors.New("not bytes")
	}
	*b = make([]byte, *c.body)
	_, err := io.ReadFull(c.r, *b)
	return err
}

type netrpcClientCodec struct{ *netrpcConn }

func (c netrpcClientCodec) WriteRequest(r *rpc.Request, body any) error {
	return c.write(r.Seq, r.ServiceMethod, "", body)
}

func (c netrpcClientCodec) ReadResponseHeader(r *rpc.Response) (err error) {
	r.Seq, r.ServiceMethod, r.Error, err = c.readHeader()
	return err
}

func (c netrpcClientCodec) ReadResponseBody(body any) error { return c.readBody(body) }
func (c netrpcClientCodec) Close() error                    { return c.c.Close() }

type netrpcServerCodec struct{ *netrpcConn }

func (c netrpcServerCodec) ReadRequestHeader(r *rpc.Request) (err error) {
	r.Seq, r.ServiceMethod, _, err = c.readHeader()
	return err
}

func (c netrpcServerCodec) ReadRequestBody(body any) error { return c.readBody(body) }

func (c netrpcServerCodec) WriteResponse(r *rpc.Response, body any) error {
	return c.write(r.Seq, r.ServiceMethod, r.Error, body)
}

func (c netrpcServerCodec) Close() error { return c.c.Close() }
