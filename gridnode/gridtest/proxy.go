package gridtest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"
)

const (
	proxyChunk = 16 << 10 // most bytes moved at a time
	proxyQueue = 64       // chunks on their way in one direction
	proxySlack = 5 * time.Millisecond
)

// proxy moves the bytes of one connection, two goroutines for each direction: one
// reads and stamps, one waits as long as the link says and writes.
type proxy struct {
	link *proxyLink
	a, b *net.TCPConn
	gone chan struct{} // closed by end
	once sync.Once
	left sync.WaitGroup // directions that still run
}

// chunk is what one read of the source gave.
type chunk struct {
	data    []byte
	arrived time.Time
	end     error // of the source, after data: io.EOF, or what has broken it
}

func newProxy(link *proxyLink, a, b *net.TCPConn) *proxy {
	for _, c := range []*net.TCPConn{a, b} {
		c.SetReadBuffer(64 << 10)
		c.SetWriteBuffer(64 << 10)
	}
	return &proxy{link: link, a: a, b: b, gone: make(chan struct{})}
}

// run starts the goroutines; they end with both directions, or at reset, and pumps
// waits for them.
func (p *proxy) run(pumps *sync.WaitGroup) {
	for _, way := range [][2]*net.TCPConn{{p.a, p.b}, {p.b, p.a}} {
		src, dst := way[0], way[1]
		queue := make(chan chunk, proxyQueue)
		p.left.Add(1)
		pumps.Go(func() { p.read(src, queue) })
		pumps.Go(func() {
			defer p.left.Done()
			p.write(dst, queue)
		})
	}
	pumps.Go(func() {
		p.left.Wait()
		p.end(false)
		p.link.remove(p)
	})
}

// reset breaks both sides, as a lost machine's kernel would.
func (p *proxy) reset() { p.end(true) }

// end closes both sides. Without reset, what has been written still arrives.
func (p *proxy) end(reset bool) {
	p.once.Do(func() {
		close(p.gone)
		for _, c := range []*net.TCPConn{p.a, p.b} {
			if reset {
				c.SetLinger(0)
			}
			c.Close()
		}
	})
}

func (p *proxy) read(src *net.TCPConn, queue chan<- chunk) {
	defer close(queue)
	buf := make([]byte, proxyChunk)
	for p.link.moving(p.gone) { // a stalled link takes no more in than a chunk
		n, err := src.Read(buf)
		select {
		case queue <- chunk{bytes.Clone(buf[:n]), time.Now(), err}:
		case <-p.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// write delivers until the source has ended, then passes the end on, which comes no
// sooner than bytes would.
func (p *proxy) write(dst *net.TCPConn, queue <-chan chunk) {
	var due time.Time
	for c := range queue {
		if due = p.link.await(p.gone, c, due); due.IsZero() {
			return
		}
		if len(c.data) > 0 && !p.deliver(dst, c.data) {
			p.reset()
			return
		}
		switch c.end {
		case nil:
		case io.EOF:
			dst.CloseWrite()
			return
		default:
			p.reset()
			return
		}
	}
}

// deliver writes as much of data as may pass; false if the connection ends there.
func (p *proxy) deliver(dst *net.TCPConn, data []byte) bool {
	allowed, cut := p.link.pass(len(data))
	_, err := dst.Write(data[:allowed])
	if cut {
		p.link.cutNow()
	}
	return !cut && err == nil
}
