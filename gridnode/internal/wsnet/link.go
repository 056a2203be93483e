package wsnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// Link is an upgraded connection that is not live yet: one goroutine reads and
// writes it, and waits. After an error it is of no use but to be closed.
type Link struct {
	conn       net.Conn
	r          *bufio.Reader // holds what came right behind the upgrade
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

// WriteMessage writes one binary message. It ends with ctx.
func (l *Link) WriteMessage(ctx context.Context, msg []byte) error {
	undo := bound(ctx, l.conn)
	_, err := l.conn.Write(newFrame(opBinary, msg, l.client))
	return undo(err)
}

// WriteClose tells the peer, for people, why it is refused (RFC 6455 section 7.4.1, code
// 1008). reason has 123 bytes at most. It ends with ctx; Close has to follow.
func (l *Link) WriteClose(ctx context.Context, reason string) error {
	undo := bound(ctx, l.conn)
	payload := append(binary.BigEndian.AppendUint16(nil, codePolicy), reason...)
	_, err := l.conn.Write(newFrame(opClose, payload, l.client))
	return undo(err)
}

// ReadMessage reads one binary message of at most limit bytes. It ends with ctx.
func (l *Link) ReadMessage(ctx context.Context, limit int) ([]byte, error) {
	undo := bound(ctx, l.conn)
	m := messageReader{link: l}
	err := m.read(limit)
	return m.msg, undo(err)
}

// messageReader takes one message from a Link, by the same rules as a live
// connection.
type messageReader struct {
	link *Link
	msg  []byte
	got  bool
}

// read feeds a parser a frame at a time, so that what follows the message stays.
func (m *messageReader) read(limit int) error {
	p := parser{masked: !m.link.client, max: limit}
	r := m.link.r
	for !m.got {
		if _, err := r.Peek(1); err != nil {
			return err
		}
		n := min(p.need(), r.Buffered())
		chunk, err := r.Peek(n)
		if err != nil {
			return err
		}
		if err := p.feed(chunk, m); err != nil {
			return err
		}
		if _, err := r.Discard(n); err != nil {
			return err
		}
	}
	return nil
}

// message implements sink.
func (m *messageReader) message(msg []byte) error {
	m.msg, m.got = append([]byte{}, msg...), true
	return nil
}

// control implements sink.
func (m *messageReader) control(op byte, payload []byte) error {
	switch op {
	case opPing:
		_, err := m.link.conn.Write(newFrame(opPong, payload, m.link.client))
		return err
	case opClose:
		return closeError(payload)
	}
	return nil
}

// past is a deadline that ends reads and writes at once.
var past = time.Unix(1, 0)

// bound makes the end of ctx end reads and writes of conn, by closing it if it has no
// deadlines. undo takes that back and names ctx as the cause of an error if it was.
func bound(ctx context.Context, conn net.Conn) (undo func(error) error) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if conn.SetDeadline(past) != nil {
			_ = conn.Close()
		}
		close(fired)
	})
	return func(err error) error {
		if stop() {
			return err
		}
		<-fired
		if err != nil {
			return context.Cause(ctx)
		}
		return conn.SetDeadline(time.Time{})
	}
}

// Start makes the link live: bind gets the connection and returns its handler, whose
// methods may be called before Start returns. TCP, plain or with TLS that Dial or Listen
// has put a hand under, goes to nbio's event loop, which n then holds; with a nil Net the
// connections alone hold it. All else gets a reader and a writer goroutine. After an error
// the socket is closed and the handler hears nothing.
func (l *Link) Start(n *Net, bind func(Conn) Handler) error {
	leftover, err := l.r.Peek(l.r.Buffered())
	if err != nil {
		return errors.Join(err, l.conn.Close())
	}
	if tcp := pollable(l.conn); tcp != nil {
		tune(tcp)
		return startTCP(n, l, tcp, leftover, bind)
	}
	tune(l.conn)
	startStream(l, l.conn, leftover, bind)
	return nil
}
