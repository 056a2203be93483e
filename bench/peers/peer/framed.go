package peer

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// single is the kind byte of a connection that answers singles; the others are
// stream kinds.
const single = 0

const (
	streamBuffer = 64 << 10 // bytes gathered before a write, and read at once
	smallBuffer  = 4 << 10
)

// bufferFor is what a connection of its own needs for a kind.
func bufferFor(kind byte) int {
	if kind == single {
		return smallBuffer
	}
	return streamBuffer
}

// framed moves length-prefixed messages over a byte stream: a TCP connection or a
// stream of a multiplexer. The end is a length of endMark.
type framed struct {
	conn  net.Conn
	r     *bufio.Reader
	w     *bufio.Writer
	kind  byte
	buf   []byte // of the message that Recv has returned last
	vecs  net.Buffers
	head  [4]byte
	plain [2][]byte
}

const endMark = ^uint32(0)

func newFramed(conn net.Conn, buffer int) *framed {
	return &framed{conn: conn, r: bufio.NewReaderSize(conn, buffer), w: bufio.NewWriterSize(conn, buffer)}
}

// openFramed starts the calling side; the first message flushes the kind byte.
func openFramed(conn net.Conn, kind byte, plan Plan, buffer int) (*framed, error) {
	f := newFramed(conn, buffer)
	f.kind = kind
	f.w.WriteByte(kind)
	if Kind(kind) != Down {
		return f, nil
	}
	f.w.Write(plan.encode())
	return f, f.w.Flush()
}

// Send buffers a message of a one-way stream, and sends one of the others at once.
func (f *framed) Send(_ context.Context, msg []byte) error {
	binary.BigEndian.PutUint32(f.head[:], uint32(len(msg)))
	if len(msg) >= streamBuffer {
		return f.sendLarge(msg)
	}
	f.w.Write(f.head[:])
	if _, err := f.w.Write(msg); err != nil {
		return err
	}
	if f.kind == single || Kind(f.kind) == Echo {
		return f.w.Flush()
	}
	return nil
}

// sendLarge sends a message without copying it.
func (f *framed) sendLarge(msg []byte) error {
	if err := f.w.Flush(); err != nil {
		return err
	}
	f.plain = [2][]byte{f.head[:], msg}
	f.vecs = f.plain[:]
	_, err := f.vecs.WriteTo(f.conn)
	return err
}

func (f *framed) CloseSend() error {
	binary.BigEndian.PutUint32(f.head[:], endMark)
	f.w.Write(f.head[:])
	return f.w.Flush()
}

func (f *framed) Recv(context.Context) ([]byte, error) {
	head, err := f.r.Peek(4)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // only endMark is a clean end
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	f.r.Discard(4)
	if n == endMark {
		return nil, io.EOF
	}
	if n > MaxMessage {
		return nil, fmt.Errorf("message of %d bytes, limit %d", n, MaxMessage)
	}
	if cap(f.buf) < int(n) {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	_, err = io.ReadFull(f.r, f.buf)
	return f.buf, err
}

// call is a round trip of a connection for singles.
func (f *framed) call(ctx context.Context, req []byte) ([]byte, error) {
	if err := f.Send(ctx, req); err != nil {
		return nil, err
	}
	return f.Recv(ctx)
}

// serveFramed is the serving side of one connection, from its kind byte to its end.
// buffer says how much is buffered for a kind.
func serveFramed(conn net.Conn, buffer func(kind byte) int) {
	var kind [1]byte
	if _, err := io.ReadFull(conn, kind[:]); err != nil {
		return
	}
	f := newFramed(conn, buffer(kind[0]))
	f.kind = kind[0]
	if f.kind == single {
		serveEcho(context.Background(), f)
		return
	}
	f.serveStream(f)
}

// serveStream serves over on, which is f or around it.
func (f *framed) serveStream(on Stream) {
	var plan Plan
	if Kind(f.kind) == Down {
		var b [8]byte
		if _, err := io.ReadFull(f.r, b[:]); err != nil {
			return
		}
		var err error
		if plan, err = decodePlan(b[:]); err != nil {
			return
		}
	}
	if serve(context.Background(), Kind(f.kind), plan, on) == nil {
		on.CloseSend()
	}
}
