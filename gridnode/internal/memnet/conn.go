package memnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a connection. All methods may be called concurrently; the bytes
// of concurrent writes do not mix.
type Conn struct {
	// Immutable:
	link          *Link
	peer          *Conn
	in, out       *pipe // out is the peer's in
	local, remote Addr

	// Guarded by link.mu:
	closed        bool
	readDeadline  time.Time
	writeDeadline time.Time
}

// newPair returns the two ends of a connection.
func newPair(l *Link, local, remote Addr, window int) (near, far *Conn) {
	there := &pipe{link: l, window: window}
	back := &pipe{link: l, window: window, back: there}
	there.back = back
	near = &Conn{link: l, in: back, out: there, local: local, remote: remote}
	far = &Conn{link: l, in: there, out: back, local: remote, remote: local, peer: near}
	near.peer = far
	return near, far
}

// Read waits for bytes, and returns those that have arrived, as many as fit into b.
func (c *Conn) Read(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case expired(c.readDeadline):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case c.in.arrived.Len() > 0:
			c.in.writable.fire()
			return c.in.arrived.Read(b)
		case c.in.ended:
			return 0, io.EOF
		case c.in.broken != nil:
			return 0, c.fail("read", c.in.broken)
		}
		c.in.readable.park(&c.link.mu, c.readDeadline)
	}
}

// Write waits until all of b is on its way. b is the caller's again then.
func (c *Conn) Write(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for c.out.writing && c.writeError() == nil {
		c.out.writable.park(&c.link.mu, c.writeDeadline)
	}
	if err := c.writeError(); err != nil {
		return 0, c.fail("write", err)
	}
	c.out.writing = true
	defer func() {
		c.out.writing = false
		c.out.writable.fire()
	}()
	n := c.out.put(b)
	for n < len(b) {
		if err := c.writeError(); err != nil {
			return n, c.fail("write", err)
		}
		if c.out.room() <= 0 {
			c.out.writable.park(&c.link.mu, c.writeDeadline)
			continue
		}
		n += c.out.put(b[n:])
	}
	return n, nil
}

func (c *Conn) writeError() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case expired(c.writeDeadline):
		return os.ErrDeadlineExceeded
	case c.out.broken != nil:
		return c.out.broken
	case c.out.shut:
		return syscall.EPIPE
	}
	return nil
}

// Close ends both directions. What is on its way to the peer still arrives there.
func (c *Conn) Close() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.in.deaf = true
	c.in.readable.fire()
	c.out.finish(endBoth)
	if c.peer.closed { // nobody is left to whom anything could arrive
		c.link.forgetLocked(c)
		c.resetLocked()
	}
	return nil
}

// CloseWrite ends the direction to the peer, which reads io.EOF and may still write.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	if !c.out.shut {
		c.out.finish(endWrite)
	}
	return nil
}

// abort resets a connection that one side has never seen.
func (c *Conn) abort() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.forgetLocked(c)
	c.resetLocked()
}

func (c *Conn) resetLocked() {
	c.out.fail(syscall.ECONNRESET)
	c.in.fail(syscall.ECONNRESET)
}

// LocalAddr returns this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(func() { c.readDeadline, c.writeDeadline = t, t })
}

// SetReadDeadline sets when reads, waiting ones too, fail with
// os.ErrDeadlineExceeded; never if t is zero.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(func() { c.readDeadline = t })
}

// SetWriteDeadline is SetReadDeadline for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(func() { c.writeDeadline = t })
}

func (c *Conn) setDeadlines(set func()) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	set()
	c.in.readable.fire()
	c.out.writable.fire()
	return nil
}

func (c *Conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

func expired(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}
