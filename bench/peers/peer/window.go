package peer

import (
	"context"
	"io"
	"net"
)

// half is how many messages are acknowledged at once: the other half of the window is
// on its way meanwhile.
const half = Window / 2

// TCPWindow is the floor of one-way streams whose receiver grants credit, which raw TCP
// has no need of: at most Window messages are in flight, in writes of half of them, and a
// byte goes back for each half received.
func TCPWindow() *Peer {
	return &Peer{
		Name: "tcp-window", Role: Floor, About: "raw TCP with a window of 64 messages, acknowledged by halves",
		Streams: kinds(Down, Up), // and nothing else
		Serve:   func(string) (Server, error) { return listen(serveWindowed) },
		NewDialer: anonymous(func(addr string) (Client, error) {
			return &windowClient{tcpClient{addr: addr}}, nil
		}),
	}
}

type windowClient struct{ tcpClient }

// Open opens a connection for the stream.
func (c *windowClient) Open(_ context.Context, kind Kind, plan Plan) (Stream, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	f, err := openFramed(conn, byte(kind), plan, streamBuffer)
	return &windowed{framed: f}, err
}

// windowed is framed with a window in each direction.
type windowed struct {
	*framed
	sent, acked int
	received    int
}

// Send waits for credit when the window is used up.
func (w *windowed) Send(ctx context.Context, msg []byte) error {
	if w.sent-w.acked == Window {
		if err := w.takeCredit(); err != nil {
			return err
		}
	}
	if err := w.framed.Send(ctx, msg); err != nil {
		return err
	}
	if w.sent++; w.sent%half == 0 {
		return w.w.Flush()
	}
	return nil
}

func (w *windowed) takeCredit() error {
	_, err := w.r.ReadByte()
	w.acked += half
	return err
}

// Recv grants credit for each half received. What it is owed itself comes first.
func (w *windowed) Recv(ctx context.Context) ([]byte, error) {
	for w.sent-w.acked >= half {
		if err := w.takeCredit(); err != nil {
			return nil, err
		}
	}
	msg, err := w.framed.Recv(ctx)
	if err != nil {
		return nil, err
	}
	if w.received++; w.received%half == 0 {
		_, err = w.conn.Write([]byte{0})
	}
	return msg, err
}

func serveWindowed(conn net.Conn) {
	var kind [1]byte
	if _, err := io.ReadFull(conn, kind[:]); err != nil {
		return
	}
	f := newFramed(conn, streamBuffer)
	f.kind = kind[0]
	f.serveStream(&windowed{framed: f})
}
