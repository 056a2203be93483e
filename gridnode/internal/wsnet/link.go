package wsnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// Net is one node's use of this package: it holds the engine while the node lives.
type Net struct {
	mu       sync.Mutex
	acquired bool
}

// Close gives the engine back. All connections of the node have ended before.
func (n *Net) Close() {
	n.mu.Lock()
	acquired := n.acquired
	n.acquired = false
	n.mu.Unlock()
	if acquired {
		release()
	}
}

// Link is an upgraded connection that is not live yet: one goroutine reads and
// writes it, and waits.
type Link struct {
	conn       net.Conn
	r          *bufio.Reader
	client     bool
	maxMessage int
}

// TLS returns the state of the TLS connection, nil without TLS.
func (l *Link) TLS() *tls.ConnectionState {
	if t, ok := l.conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		return &state
	}
	return nil
}

// RemoteAddr returns the peer's address.
func (l *Link) RemoteAddr() net.Addr { return l.conn.RemoteAddr() }

// Close closes the socket. It must not be called after Start.
func (l *Link) Close() error { return l.conn.Close() }

// past is a deadline that ends reads and writes at once.
var past = time.Unix(1, 0)

// bound makes the end of ctx end reads and writes of conn; undo takes that back and
// returns ctx's error if it has happened.
func bound(ctx context.Context, conn net.Conn) (undo func() error) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetDeadline(past)
		close(fired)
	})
	return func() error {
		if stop() {
			return nil
		}
		<-fired
		conn.SetDeadline(time.Time{})
		return context.Cause(ctx)
	}
}

// ReadMessage reads one binary message of at most limit bytes. It ends with ctx.
func (l *Link) ReadMessage(ctx context.Context, limit int) ([]byte, error) {
	undo := bound(ctx, l.conn)
	msg, err := l.readMessage(limit)
	if ctxErr := undo(); ctxErr != nil && err != nil {
		return nil, ctxErr
	}
	return msg, err
}

func (l *Link) readMessage(limit int) ([]byte, error) {
	for {
		h, err := ws.ReadHeader(l.r)
		switch {
		case err != nil:
			return nil, err
		case h.Masked == l.client:
			return nil, violation("wrong masking")
		case h.OpCode.IsControl() && h.Length > maxControl:
			return nil, violation("control frame of %d bytes", h.Length)
		case h.Length > int64(limit):
			return nil, violation("message of %d bytes, limit %d", h.Length, limit)
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(l.r, payload); err != nil {
			return nil, err
		}
		if h.Masked {
			mask(payload, h.Mask, 0)
		}
		switch {
		case h.OpCode == ws.OpClose:
			return nil, closeError(payload)
		case h.OpCode.IsControl():
			continue
		case h.OpCode != ws.OpBinary || !h.Fin || h.Rsv != 0:
			return nil, violation("not a whole binary message")
		}
		return payload, nil
	}
}

func closeError(payload []byte) error {
	code, reason := ws.ParseCloseFrameData(payload)
	return &CloseError{Code: uint16(code), Reason: reason}
}

// WriteMessage writes one binary message. It ends with ctx.
func (l *Link) WriteMessage(ctx context.Context, msg []byte) error {
	buf := append(make([]byte, HeaderSpace, HeaderSpace+len(msg)), msg...)
	start := putHeader(buf, opBinary, len(msg), l.client)
	undo := bound(ctx, l.conn)
	_, err := l.conn.Write(buf[start:])
	if ctxErr := undo(); ctxErr != nil && err != nil {
		return ctxErr
	}
	return err
}

// Start makes the link live on n: bind gets the connection and returns its handler,
// whose methods may be called before Start returns. After an error the socket is
// closed and the handler hears nothing.
func (l *Link) Start(n *Net, bind func(Conn) Handler) error {
	leftover, err := l.r.Peek(l.r.Buffered())
	if err != nil {
		return errors.Join(err, l.conn.Close())
	}
	leftover = append([]byte(nil), leftover...)
	if _, plain := l.conn.(*net.TCPConn); !plain || runtime.GOOS == "windows" {
		startStream(l.conn, l.client, l.maxMessage, leftover, bind)
		return nil
	}
	engine, err := n.engine()
	if err != nil {
		return errors.Join(err, l.conn.Close())
	}
	return startPoll(engine, l.conn, l.client, l.maxMessage, leftover, bind)
}
