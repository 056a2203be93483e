//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
)

const (
	// recordSize is the most that one record of TLS holds (RFC 8446 section 5.1).
	recordSize = 16 << 10
	// recordOverhead is about what a record takes besides.
	recordOverhead = 64
)

// secured is what a connection of the engine has under TLS.
type secured struct {
	tls    *tls.Conn
	socket *socket // below tls
}

// secure makes c the lower end of conn, if that is TLS.
func (c *pollConn) secure(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		c.tls, c.socket = t, t.NetConn().(*socket)
		c.socket.conn = c
	}
}

// receiveSealed decrypts the records that sealed completes and handles what they hold;
// plain is for what belongs nowhere else. c.reading is held.
func (c *pollConn) receiveSealed(sealed, plain []byte) error {
	c.lastRead.Store(int64(Now())) // a record may take many reads
	c.socket.came = sealed
	defer func() { c.socket.came = nil }() // it is the poller's
	for {
		dst := c.target(plain)
		n, err := c.decrypt(dst)
		if n > 0 {
			c.received(dst[:n])
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // that was all
		}
		if err != nil {
			return err
		}
	}
}

// encrypt writes a frame, in one system call also if it takes several records.
func (s secured) encrypt(frame []byte) error {
	if len(frame) <= recordSize {
		_, err := s.tls.Write(frame)
		return err
	}
	s.socket.hold(len(frame) + (len(frame)/recordSize+1)*recordOverhead)
	_, err := s.tls.Write(frame)
	return errors.Join(err, s.socket.flush())
}

// takeHeld handles what TLS has read already, and nobody has asked it for. c.reading is
// held.
func (c *pollConn) takeHeld() {
	if err := c.receiveSealed(nil, make([]byte, readBuffer)); err != nil {
		c.conn.CloseWithError(err)
	}
}

// decrypt fills dst, with the content of several records if they are small: one batch
// has one answer.
func (s secured) decrypt(dst []byte) (n int, err error) {
	for n < len(dst) && err == nil {
		var m int
		m, err = s.tls.Read(dst[n:])
		n += m
	}
	return n, err
}
