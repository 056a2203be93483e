package wsnet

import (
	"runtime"
	"sync"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
)

const (
	// pollBuffer is nbio's read buffer, one per poller.
	pollBuffer = 64 << 10

	// readsPerEvent bounds how often one connection is read before the others of
	// its poller have their turn. nbio reads at most this many buffers of a
	// connection that has been closed by the peer; its default, 3, loses the end of
	// larger transfers.
	readsPerEvent = 16
)

// shared is the one engine of this process. One engine with a poller per core beats
// an engine per node by 3 times at 32 nodes, and by 8 times at few callers.
var shared struct {
	mu     sync.Mutex
	engine *nbio.Engine
	users  int
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
		shared.engine = engine
	}
	shared.users++
	return shared.engine, nil
}

// release gives the engine back; the last user stops it and waits for its end.
func release() {
	shared.mu.Lock()
	shared.users--
	var last *nbio.Engine
	if shared.users == 0 {
		last, shared.engine = shared.engine, nil
	}
	shared.mu.Unlock()
	if last != nil {
		last.Stop()
	}
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
	})
	engine.Execute = func(f func()) { f() }
	engine.OnData(func(c *nbio.Conn, data []byte) {
		if p, ok := c.Session().(*pollConn); ok {
			p.onData(data)
		}
	})
	engine.OnWrittenSize(func(c *nbio.Conn, _ []byte, n int) {
		if p, ok := c.Session().(*pollConn); ok {
			p.written(n)
		}
	})
	engine.OnClose(func(c *nbio.Conn, err error) {
		if p, ok := c.Session().(*pollConn); ok {
			p.onClose(err)
		}
	})
	if err := engine.Start(); err != nil {
		return nil, err
	}
	return engine, nil
}
