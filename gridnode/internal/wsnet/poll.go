//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"

	"github.com/lesismal/nbio"
)

// yields is how often a poller yields after a batch to those whom it has woken, so that
// what they send in turn shares a write. All shapes of bench/tuning together take 1.22
// times as long with none, 1.07 with one.
const yields = 2

// readsPerEvent bounds how often one connection is read before the others of its
// poller have their turn. Of a connection whose end has come, more is not read.
const readsPerEvent = 16

// pollConn is the transport on nbio's event loop. It has no goroutine: a poller of
// the engine calls back.
//
// Of nbio's connection only Write and CloseWithError are used. Writev loses bytes
// when the socket does not take all, and the deadlines close connections that have
// moved on.
type pollConn struct {
	base
	secured // zero without TLS
	conn    *nbio.Conn
	poller  *poller
	refused bool // guarded by reading: the engine did not take it
}

// startTCP hands a TCP connection to the engine, and what is around it. leftover has
// been read already.
func startTCP(n *Net, l *Link, conn *net.TCPConn, leftover []byte, bind func(Conn) Handler) error {
	engine, err := n.engine() // until onClose
	if err != nil {
		conn.Close()
		return err
	}
	nbc, err := engine.detach(conn)
	if err != nil {
		release()
		return err
	}
	c := &pollConn{conn: nbc, poller: engine.pollerOf(nbc)}
	c.secure(l.conn)
	nbc.SetSession(c)
	c.bind(c, l, bind, c)
	// The poller calls back before AddConn returns: it waits for the leftover.
	c.reading.Lock()
	defer c.reading.Unlock()
	if err := engine.add(nbc); err != nil {
		c.refused = true
		c.poller.conns.Add(-1)
		release()
		return err
	}
	c.goLive()
	if len(leftover) > 0 {
		c.handle(leftover)
	}
	if c.tls != nil {
		c.takeHeld()
	}
	return nil
}

// onReadable runs on the connection's poller.
func (c *pollConn) onReadable() {
	for range readsPerEvent {
		if _, more := c.read(); !more {
			c.poller.pause.wait(c)
			return
		}
	}
	c.poller.pause.wait(none{}) // its turn is over
}

// id implements source.
func (c *pollConn) id() int { return c.conn.Hash() }

// readNow implements source.
func (c *pollConn) readNow() bool {
	some, _ := c.read()
	return some
}

// read reads once, yields to those who were woken by what has come, and reports whether
// something has come, and whether there may be more.
func (c *pollConn) read() (some, more bool) {
	full, err := c.readOnce()
	switch {
	case err == syscall.EINTR:
		return false, true
	case err == syscall.EAGAIN:
		return false, false
	case err != nil:
		c.conn.CloseWithError(err)
		return false, false
	}
	for range yields {
		runtime.Gosched()
	}
	return true, full
}

// readOnce reads once, and reports whether there may be more.
func (c *pollConn) readOnce() (full bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	dst := c.poller.buf
	if c.tls == nil {
		dst = c.target(dst)
	}
	n, err := c.conn.Read(dst)
	if err == nil && n <= 0 {
		err = io.EOF
	}
	if err != nil {
		return false, err
	}
	if c.tls != nil {
		err = c.receiveSealed(dst[:n], c.poller.plain())
	} else {
		c.received(dst[:n])
	}
	return n == len(dst), err
}

// writeFrame implements transport. If the engine has closed the connection and onClose
// is still to come, that was the peer.
func (c *pollConn) writeFrame(frame []byte) (err error) {
	if c.tls != nil {
		err = c.encrypt(frame)
	} else {
		_, err = c.writeSocket(frame)
	}
	if errors.Is(err, net.ErrClosed) {
		return io.EOF
	}
	return err
}

// writeSocket never waits: nbio queues what the socket does not take.
func (c *pollConn) writeSocket(p []byte) (int, error) {
	c.pending.Add(int64(len(p)))
	return c.conn.Write(p)
}

// shut implements transport.
func (c *pollConn) shut(last []byte) {
	if last != nil && c.pending.Load() == 0 {
		_ = c.writeFrame(last) // best effort: an error closes the socket as well
	}
	c.conn.CloseWithError(net.ErrClosed)
}

// onClose runs on the engine's goroutine for closing.
func (c *pollConn) onClose(err error) {
	c.reading.Lock()
	refused := c.refused
	c.reading.Unlock()
	if refused {
		return
	}
	c.poller.conns.Add(-1)
	release() // before Closed, which may have somebody close the Net
	if err == nil {
		err = io.EOF
	}
	c.closed(err)
}
