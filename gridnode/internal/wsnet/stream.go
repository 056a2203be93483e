package wsnet

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// readBuffer is what the reader goroutine of a stream transport reads into: one TLS
// record (RFC 8446 section 5.1) and a bit.
const readBuffer = 32 << 10

// writeChunk is how much the writer goroutine gives to the socket at a time, so that
// LastWrite shows progress on a slow link.
const writeChunk = 64 << 10

// streamConn is the transport for any net.Conn. It has two goroutines: the reader,
// which owns the connection's end, and the writer, which the reader waits for.
type streamConn struct {
	base
	conn net.Conn

	mu    sync.Mutex
	queue []byte // frames to be written
	spare []byte
	wake  chan struct{} // capacity 1
	stop  chan struct{} // closed by the reader at its end
	gone  chan struct{} // closed by the writer at its end
}

// startStream hands conn to a stream transport. leftover has been read already.
func startStream(conn net.Conn, client bool, maxMessage int, leftover []byte, bind func(Conn) Handler) {
	c := &streamConn{conn: conn, wake: make(chan struct{}, 1), stop: make(chan struct{}), gone: make(chan struct{})}
	c.write, c.drop = c.enqueue, c.dropSocket
	c.init(bind(c), client, maxMessage)
	go c.writeLoop()        // the reader waits for it
	go c.readLoop(leftover) // ends with the socket; its last act is Handler.Closed
}

func (c *streamConn) readLoop(leftover []byte) {
	err := c.read(leftover)
	c.Close(err)
	close(c.stop)
	<-c.gone
	c.closed(err)
}

func (c *streamConn) read(leftover []byte) error {
	if len(leftover) > 0 {
		c.received(leftover)
	}
	buf := make([]byte, readBuffer)
	for {
		n, err := c.conn.Read(buf)
		if n > 0 {
			c.received(buf[:n])
		}
		if err != nil {
			return err
		}
	}
}

// enqueue copies a frame for the writer.
func (c *streamConn) enqueue(frame []byte) error {
	c.mu.Lock()
	select {
	case <-c.stop:
		c.mu.Unlock()
		return net.ErrClosed
	default:
	}
	if c.queue == nil && c.spare != nil {
		c.queue, c.spare = c.spare[:0], nil
	}
	c.queue = append(c.queue, frame...)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

func (c *streamConn) writeLoop() {
	defer close(c.gone)
	for {
		select {
		case <-c.wake:
		case <-c.stop:
			return
		}
		c.mu.Lock()
		buf := c.queue
		c.queue = nil
		c.mu.Unlock()
		if err := c.writeAll(buf); err != nil {
			c.Close(err)
			return
		}
		c.mu.Lock()
		if cap(buf) <= 4*writeChunk {
			c.spare = buf
		}
		if len(c.queue) == 0 {
			c.spare = nil // idle: hold no buffer
		}
		c.mu.Unlock()
	}
}

func (c *streamConn) writeAll(buf []byte) error {
	for len(buf) > 0 {
		n, err := c.conn.Write(buf[:min(len(buf), writeChunk)])
		if n > 0 {
			c.written(n)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		buf = buf[n:]
	}
	return nil
}

// dropSocket closes the socket below TLS: the alert of an orderly TLS close could
// wait for a peer that does not read.
func (c *streamConn) dropSocket(error) {
	conn := c.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		_ = err // the reader sees the end in any case
	}
}
