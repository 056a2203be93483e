//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"context"
	"net"
	"runtime"
	"sync"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/mempool"
)

const (
	// pollBuffer is nbio's read buffer, one per poller.
	pollBuffer = 64 << 10

	// readsPerEvent bounds how often one connection is read before the others of
	// its poller have their turn. nbio reads at most this many buffers of a
	// connection that has been closed by the peer; its default, 3, loses the end of
	// larger transfers.
	readsPerEvent = 16

	// Buffers for what a socket does not take at once come from a pool. nbio's own
	// keeps buffers of up to 1 GiB, and hands them to small requests.
	writeBuffer     = 4 << 10
	writeBufferKept = 512 << 10
)

// shared is the one engine of this process. One engine with a poller per core beats
// an engine per node by 3 times at 32 nodes, and by 8 times at few callers; and each
// has a table of all file descriptors that the process may have.
var shared struct {
	mu      sync.Mutex
	engine  *nbio.Engine
	users   int           // Nets and connections
	stop    func()        // ends engine and closes stopped
	stopped chan struct{} // of the latest engine: it and all before have stopped
}

// polled is the session of a connection of the engine. Its methods run on the
// engine's goroutines.
type polled interface {
	onData(data []byte)
	written(n int)
	onClose(err error)
}

// Net is one node's use of this package: it holds the engine from its first polled
// connection on. Without a Net the engine would stop and start with each reconnect.
type Net struct {
	mu     sync.Mutex
	holds  bool
	closed bool
}

// Close gives the engine back and waits for its end if nobody else uses it. It must
// not be called by a Handler.
func (n *Net) Close() {
	n.mu.Lock()
	holds := n.holds
	n.holds, n.closed = false, true
	n.mu.Unlock()
	if !holds {
		return
	}
	if stopped := release(); stopped != nil {
		<-stopped
	}
}

// hold makes n a user of the engine. A nil Net has no need to.
func (n *Net) hold() error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return net.ErrClosed
	}
	if n.holds {
		return nil
	}
	_, err := acquire()
	n.holds = err == nil
	return err
}

// Drain waits until the engine has no users any more and has stopped.
func Drain(ctx context.Context) error {
	for {
		shared.mu.Lock()
		stopped := shared.stopped
		shared.mu.Unlock()
		if stopped == nil {
			return nil
		}
		select {
		case <-stopped:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		shared.mu.Lock()
		latest := shared.stopped == stopped
		shared.mu.Unlock()
		if latest {
			return nil
		}
	}
}

// acquire returns the running engine and counts a user of it.
func acquire() (*nbio.Engine, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.engine == nil {
		engine, err := startEngine()
		if err != nil {
			return nil, err
		}
		before, stopped := shared.stopped, make(chan struct{})
		shared.engine, shared.stopped = engine, stopped
		shared.stop = func() {
			engine.Stop()
			if before != nil {
				<-before
			}
			close(stopped)
		}
	}
	shared.users++
	return shared.engine, nil
}

// release counts a user less. The last one stops the engine and is told when it has
// stopped; it may be the engine's own goroutine, which must not wait for that.
func release() (stopped <-chan struct{}) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users--; shared.users > 0 {
		return nil
	}
	go shared.stop() // ends with the engine; Net.Close and Drain wait for it
	shared.engine, shared.stop = nil, nil
	return shared.stopped
}

// startEngine makes an engine that listens to nothing and calls back inline, on its
// pollers.
func startEngine() (*nbio.Engine, error) {
	logging.SetLevel(logging.LevelNone) // it would write to stdout
	engine := nbio.NewEngine(nbio.Config{
		Name:                         "actorgrid",
		NPoller:                      runtime.GOMAXPROCS(0),
		ReadBufferSize:               pollBuffer,
		MaxConnReadTimesPerEventLoop: readsPerEvent,
		BodyAllocator:                mempool.New(writeBuffer, writeBufferKept),
	})
	engine.Execute = func(f func()) { f() }
	engine.OnData(func(c *nbio.Conn, data []byte) { c.Session().(polled).onData(data) })
	engine.OnWrittenSize(func(c *nbio.Conn, _ []byte, n int) { c.Session().(polled).written(n) })
	engine.OnClose(func(c *nbio.Conn, err error) { c.Session().(polled).onClose(err) })
	p, err := openProbes(engine.NPoller)
	if err != nil {
		return nil, err
	}
	defer p.end()
	if err := engine.Start(); err != nil {
		return nil, err
	}
	p.watch(engine)
	return engine, nil
}
