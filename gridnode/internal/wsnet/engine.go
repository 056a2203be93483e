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
	engine  *engine
	users   int           // Nets and connections
	stop    func()        // ends engine and closes stopped
	stopped chan struct{} // of the latest engine: it and all before have stopped
}

// engine is nbio's, with what this package adds to its pollers.
type engine struct {
	*nbio.Engine
	pollers []*poller
	placing sync.Mutex // so that the connections take the pollers in turn
}

// pollerOf returns the poller that serves a connection for life.
func (e *engine) pollerOf(c *nbio.Conn) *poller { return e.pollers[c.Hash()%len(e.pollers)] }

// add gives a connection to its poller, which may call back before add returns.
func (e *engine) add(c *nbio.Conn) error {
	e.pollerOf(c).added.Add(1)
	_, err := e.AddConn(c)
	return err
}

// detach makes a connection for the engine of conn, which is closed, and counts it.
// Where it has the choice one of the pollers with the fewest connections will serve it.
func (e *engine) detach(conn *net.TCPConn) (*nbio.Conn, error) {
	socket, err := conn.File()
	conn.Close()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	e.placing.Lock()
	defer e.placing.Unlock()
	fewest := e.pollers[0].conns.Load()
	for _, p := range e.pollers {
		fewest = min(fewest, p.conns.Load())
	}
	c, _, err := detachWhere(socket, triesPerConn, func(fd int) bool {
		return e.pollers[fd%len(e.pollers)].conns.Load() <= fewest
	})
	if err == nil {
		e.pollerOf(c).conns.Add(1)
	}
	return c, err
}

// polled is the session of a connection of the engine. Its methods run on the
// engine's goroutines.
type polled interface {
	onReadable()
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

// engine returns the running engine, which the caller is a user of.
func (n *Net) engine() (*engine, error) {
	if err := n.hold(); err != nil {
		return nil, err
	}
	return acquire()
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
func acquire() (*engine, error) {
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
			engine.closePauses()
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
func startEngine() (*engine, error) {
	logging.SetLevel(logging.LevelNone) // it would write to stdout
	e := &engine{Engine: nbio.NewEngine(nbio.Config{
		Name:          "actorgrid",
		NPoller:       runtime.GOMAXPROCS(0),
		BodyAllocator: mempool.New(writeBuffer, writeBufferKept),
	})}
	e.Execute = func(f func()) { f() }
	e.OnRead(func(c *nbio.Conn) {
		e.pollerOf(c).added.Load()
		c.Session().(polled).onReadable()
	})
	e.OnWrittenSize(func(c *nbio.Conn, _ []byte, n int) { c.Session().(polled).written(n) })
	e.OnClose(func(c *nbio.Conn, err error) { c.Session().(polled).onClose(err) })
	var err error
	if e.pollers, err = newPollers(e.NPoller); err != nil {
		return nil, err
	}
	if err := e.Start(); err != nil {
		discard(e.pollers)
		return nil, err
	}
	for i, p := range e.pollers {
		p.pause = newPause(e.Engine, i)
		p.begin(e)
	}
	for _, p := range e.pollers {
		p.begun.Wait()
	}
	return e, nil
}

// closePauses gives back what the pollers, which have ended, have waited with.
func (e *engine) closePauses() {
	for _, p := range e.pollers {
		p.pause.close()
	}
}
