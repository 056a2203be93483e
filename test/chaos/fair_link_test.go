package chaos

import (
	"context"
	"net"
	"sync"
	"time"
)

// paced limits what a connection may carry, in each direction, and holds nothing back
// itself: a write returns when its bytes have had their time on the link, so that the
// queue behind a full link is the node's own.
type paced struct {
	net.Conn
	read, write pace
}

// pace is a bucket of bytes that may pass.
type pace struct {
	mu   sync.Mutex
	rate int       // bytes per second
	free time.Time // when the link is free again
}

// paceSlack is how late a timer may be without costing rate.
const paceSlack = 2 * time.Millisecond

// take waits until n bytes have had their time.
func (p *pace) take(n int) {
	p.mu.Lock()
	if earliest := time.Now().Add(-paceSlack); p.free.Before(earliest) {
		p.free = earliest
	}
	p.free = p.free.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	wait := time.Until(p.free)
	p.mu.Unlock()
	if wait > 0 {
		<-time.After(wait)
	}
}

// pacedChunk bounds how many bytes pass at a time.
const pacedChunk = 16 << 10

func (c *paced) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		var m int
		chunk := b[:min(len(b), pacedChunk)]
		c.write.take(len(chunk))
		m, err = c.Conn.Write(chunk)
		n += m
		b = b[m:]
	}
	return n, err
}

func (c *paced) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), pacedChunk)])
	if n > 0 {
		c.read.take(n)
	}
	return n, err
}

// pacedDial makes every dialled connection paced, with small buffers in the kernel. The
// accepting side needs none of it: its bytes are paced when they are read here.
func pacedDial(rate int) func(int, dialFunc) dialFunc {
	return func(_ int, dial dialFunc) dialFunc {
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				tcp.SetReadBuffer(64 << 10)
				tcp.SetWriteBuffer(64 << 10)
			}
			return &paced{Conn: conn, read: pace{rate: rate}, write: pace{rate: rate}}, nil
		}
	}
}
