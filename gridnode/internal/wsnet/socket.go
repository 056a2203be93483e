//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"

	"github.com/actorgrid/actorgrid/gridnode/internal/buffer"
)

// socket is a TCP connection below TLS that can go over to the engine. To crypto/tls it
// is then a connection whose read deadline has always passed: a read returns what has
// come, or times out, which TLS stands (a write that times out it does not; these never
// wait). What has come of a record stays with TLS until the rest is there.
type socket struct {
	net.Conn           // TCP
	conn     *pollConn // set once, when the engine takes over
	came     []byte    // guarded by conn.reading: read, and not yet given to TLS

	out     sync.Mutex
	held    []byte // guarded by out: records that wait for the others of their frame
	holders int    // guarded by out: frames whose records are held
}

// mostSealed is how many bytes may be pending below TLS. Senders stop long before; but a
// peer that reads nothing can ask TLS itself for answers (RFC 8446 section 4.6.3).
const mostSealed = 16 << 20

var errUnread = errors.New("wsnet: the peer does not read, and asks for more")

// Listen returns l, whose TCP connections can be served by the event loop if TLS is
// around them.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return underTLS(conn), err
}

// underTLS returns what TLS is to be put around.
func underTLS(conn net.Conn) net.Conn {
	if _, ok := conn.(*net.TCPConn); ok {
		return &socket{Conn: conn}
	}
	return conn
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if s.conn == nil {
		return s.Conn.Read(p)
	}
	if len(s.came) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, s.came)
	s.came = s.came[n:]
	return n, nil
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	if s.conn == nil {
		return s.Conn.Write(p)
	}
	s.out.Lock()
	defer s.out.Unlock()
	if s.holders > 0 {
		s.held = appendPooled(s.held, p)
		return len(p), nil
	}
	if s.conn.Pending() > mostSealed {
		return 0, errUnread
	}
	return s.conn.writeSocket(p)
}

// hold keeps records, in whoever's frames they are, until flush. n is what to have room
// for.
func (s *socket) hold(n int) {
	s.out.Lock()
	s.holders++
	if s.held == nil {
		s.held = buffer.Get(n)
	}
	s.out.Unlock()
}

// flush writes what is held.
func (s *socket) flush() error {
	s.out.Lock()
	defer s.out.Unlock()
	s.holders--
	held := s.held
	s.held = nil
	if len(held) == 0 {
		return nil // another holder's flush has had it
	}
	defer buffer.Free(held)
	_, err := s.conn.writeSocket(held)
	return err
}

// pollable returns the TCP connection at the bottom of conn if the engine can take it.
func pollable(conn net.Conn) *net.TCPConn {
	if t, ok := conn.(*tls.Conn); ok {
		s, ok := t.NetConn().(*socket)
		if !ok {
			return nil
		}
		conn = s.Conn
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}
