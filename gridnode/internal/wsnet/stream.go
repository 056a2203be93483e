package wsnet

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/gridnode/internal/buffer"
)

const (
	// readBuffer is what the reader goroutine of a stream transport reads into: one
	// TLS record (RFC 8446 section 5.1) and a bit.
	readBuffer = 32 << 10

	// writeChunk is how much the writer goroutine gives to the socket at a time, so
	// that LastWrite shows progress on a slow link.
	writeChunk = 16 << 10

	// leastQueue is the least that a queue has room for.
	leastQueue = 4 << 10
)

// closeGrace is how long the writing of the close frame may take. Only tests change it.
var closeGrace = 100 * time.Millisecond

// streamConn is the transport for any net.Conn. It has two goroutines: the reader,
// which owns the connection's end, and the writer, which the reader waits for.
type streamConn struct {
	base
	conn net.Conn
	wake chan struct{} // capacity 1: the queue is not empty
	stop chan struct{} // closed by the reader at its end
	done chan struct{} // closed by the writer at its end

	out   sync.Mutex
	queue []byte      // guarded by out: frames to be written; nil if there are none
	last  bool        // guarded by out: the queue is the close frame, and all
	grace *time.Timer // guarded by out: until the socket is closed regardless
}

// startStream hands conn to a stream transport. leftover has been read already.
func startStream(l *Link, conn net.Conn, leftover []byte, bind func(Conn) Handler) {
	c := &streamConn{conn: conn, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	c.bind(c, l, bind, c)
	c.goLive()
	go c.writeLoop()        // the reader waits for it
	go c.readLoop(leftover) // ends with the socket; its last act is Handler.Closed
}

// readLoop is the reader.
func (c *streamConn) readLoop(leftover []byte) {
	err := c.read(leftover)
	c.fail(err)
	c.closeSocket()
	close(c.stop)
	<-c.done
	c.closed(err)
}

// read returns when the socket is at its end.
func (c *streamConn) read(leftover []byte) error {
	if len(leftover) > 0 {
		c.receive(leftover)
	}
	buf := make([]byte, readBuffer)
	for {
		dst := c.target(buf)
		n, err := c.conn.Read(dst)
		if n > 0 {
			c.receive(dst[:n])
		}
		if err != nil {
			return err
		}
	}
}

func (c *streamConn) receive(data []byte) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.received(data)
}

// writeFrame implements transport: it copies the frame for the writer.
func (c *streamConn) writeFrame(frame []byte) error {
	c.out.Lock()
	if c.last {
		c.out.Unlock()
		return net.ErrClosed
	}
	c.pending.Add(int64(len(frame)))
	c.queue = appendPooled(c.queue, frame)
	c.out.Unlock()
	c.wakeWriter()
	return nil
}

// appendPooled is append for a queue, whose memory is recycled: with buffers that each
// connection kept, 16 KiB at most, a call over TLS made 1200 bytes of garbage.
func appendPooled(queue, frame []byte) []byte {
	if n := len(queue) + len(frame); n > cap(queue) {
		grown := append(buffer.Get(max(n, 2*cap(queue), leastQueue)), queue...)
		buffer.Free(queue)
		queue = grown
	}
	return append(queue, frame...)
}

func (c *streamConn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// shut implements transport. The writer writes the last frame, as that could wait,
// and closes the socket.
func (c *streamConn) shut(last []byte) {
	c.out.Lock()
	if last == nil || !c.pending.CompareAndSwap(0, int64(len(last))) {
		c.out.Unlock()
		c.closeSocket()
		return
	}
	c.queue, c.last = last, true
	c.grace = time.AfterFunc(closeGrace, c.closeSocket)
	c.out.Unlock()
	c.wakeWriter()
}

// writeLoop is the writer.
func (c *streamConn) writeLoop() {
	defer close(c.done)
	for {
		select {
		case <-c.wake:
		case <-c.stop:
			return
		}
		buf, last := c.takeQueue()
		err := c.writeAll(buf)
		if err != nil || last {
			c.fail(err) // no more than a formality after the last frame
			c.closeSocket()
			return
		}
		buffer.Free(buf)
	}
}

func (c *streamConn) takeQueue() (buf []byte, last bool) {
	c.out.Lock()
	defer c.out.Unlock()
	buf, c.queue = c.queue, nil
	return buf, c.last
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

// closeSocket closes the socket below TLS: the alert of an orderly TLS close could
// wait for a peer that does not read. The reader sees the end.
func (c *streamConn) closeSocket() {
	c.out.Lock()
	if c.grace != nil {
		c.grace.Stop()
	}
	c.out.Unlock()
	conn := c.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}
