package gridnode

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// Manager is one node of the grid. All its methods may be called concurrently.
type Manager struct {
	cfg        Config
	log        *slog.Logger
	instance   [16]byte // random; tells a restart from a blip
	handlers   registry
	announce   []frames.HandlerInfo              // from Start on
	conns      *xsync.MapOf[string, *Connection] // all peers and the node itself
	peers      []string                          // names in conns without the own one, in Config's order
	born       time.Time
	muxes      atomic.Int64 // calls and streams being served, against Config.MaxMuxes
	handshakes atomic.Int64 // in progress on the accepting side
	refusals   refusals     // of those that have been logged
	calls      sync.Pool    // of *call
	pool       *actor.Pool  // runs handlers, flushes and the connections' actors

	net     wsnet.Net     // holds the event loop
	tickDue time.Duration // the tick's: when it should run, on wsnet's clock

	mu      sync.Mutex
	state   nodeState
	tick    *time.Timer               // from Start on
	drained bool                      // a Shutdown has seen the end of the last call
	servers map[*http.Server]struct{} // of Serve
	serving sync.WaitGroup            // Serve calls and handshakes in progress
	fanouts sync.WaitGroup            // late answers of Quorum
	ctx     context.Context           // ends at Close; handshakes and dials hang on it
	cancel  context.CancelCauseFunc
	closed  chan struct{} // Close has finished
}

// nodeState is the life of a Manager: it only moves forward.
type nodeState uint8

const (
	nodeNew nodeState = iota
	nodeRunning
	nodeDraining
	nodeClosed
)

// workerIdle is how long a goroutine of the pool waits for the next call.
const workerIdle = 2 * time.Second

// NewManager validates cfg and returns a node that is not yet started: it has no
// goroutine and no socket. The error names the field and the reason.
func NewManager(cfg Config) (*Manager, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		cfg:     cfg,
		log:     cfg.Logger.With("node", cfg.Local),
		conns:   xsync.NewMapOf[string, *Connection](),
		born:    time.Now(),
		servers: make(map[*http.Server]struct{}),
		closed:  make(chan struct{}),
	}
	if _, err := rand.Read(m.instance[:]); err != nil {
		return nil, fmt.Errorf("gridnode: instance ID: %w", err)
	}
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.initCalls()
	// A handler and the flush of its session may both want a worker.
	m.pool = actor.NewPool(2*cfg.MaxMuxes+1024, workerIdle, m.poolPanicked)
	for _, name := range cfg.Peers {
		if name != cfg.Local {
			m.peers = append(m.peers, name)
			m.conns.Store(name, newConnection(m, name))
		}
	}
	m.conns.Store(cfg.Local, newConnection(m, cfg.Local))
	return m, nil
}

func (m *Manager) poolPanicked(v any, stack []byte) {
	m.log.Error("internal panic", "panic", fmt.Sprint(v), "stack", string(stack))
}

// now is the node's monotonic clock.
func (m *Manager) now() time.Duration { return time.Since(m.born) }

// Start begins dialling and accepting. Handlers are fixed from here on. It fails
// if the node was started or closed before, or if its handlers do not fit into one
// hello of 64 KiB.
func (m *Manager) Start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.state {
	case nodeNew:
	case nodeRunning:
		return errors.New("gridnode: started twice")
	default:
		return ErrClosed
	}
	m.announce = m.handlers.fix()
	hello := m.hello("", "")
	if n := len(frames.AppendHello(nil, frames.OpHello, &hello)); n > maxHandshakeSize-maxTokenSize {
		return fmt.Errorf("gridnode: %d handlers make a hello of %d bytes, limit %d", len(m.announce), n, maxHandshakeSize-maxTokenSize)
	}
	m.warnUnverified()
	m.state = nodeRunning
	m.startTick()
	m.conns.Range(func(_ string, c *Connection) bool {
		c.start()
		return true
	})
	return nil
}

// warnUnverified says so when every process that can reach the node may claim any
// peer's name.
func (m *Manager) warnUnverified() {
	if m.cfg.Verify != nil {
		return
	}
	m.conns.Range(func(name string, _ *Connection) bool {
		if !isLoopback(name) {
			m.log.Warn("Config.Verify is not set: whoever reaches this node may claim any peer's name")
			return false
		}
		return true
	})
}

// Connection returns the connection to a peer, the same for the life of the node;
// nil if host is not in Config.Peers. The node's own name gives a loopback
// connection with the same semantics and no network.
func (m *Manager) Connection(host string) *Connection {
	if c, ok := m.conns.Load(host); ok {
		return c
	}
	name, err := normalName(host)
	if err != nil {
		return nil
	}
	c, _ := m.conns.Load(name)
	return c
}

// Peers returns the names of the other nodes, in the order of Config.Peers.
func (m *Manager) Peers() []string { return append([]string(nil), m.peers...) }

// Local returns the node's own name.
func (m *Manager) Local() string { return m.cfg.Local }

// enter registers a handshake or a dial, which Close must wait for; it fails once
// closing.
func (m *Manager) enter() error { return m.enterGroup(&m.serving) }

func (m *Manager) enterGroup(g *sync.WaitGroup) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state >= nodeClosed {
		return ErrClosed
	}
	g.Add(1)
	return nil
}

// stage returns the state that the node is in, or was in just now.
func (m *Manager) stage() nodeState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// running reports whether new sessions and calls are welcome.
func (m *Manager) running() bool { return m.stage() == nodeRunning }

// Serve accepts connections from l and serves Handler on Config.Path until Close or
// Shutdown; it then returns http.ErrServerClosed. It closes l. If Local is an https name
// and Config.TLS has a certificate it serves TLS; without one, TLS is l's or a proxy's. The
// event loop serves connections of TCP, with that TLS too; with TLS of l, or of a server of
// your own around Handler, a connection costs two goroutines.
func (m *Manager) Serve(l net.Listener) error {
	srv := &http.Server{
		Handler:     m.Handler(),
		ReadTimeout: m.cfg.HandshakeTimeout, // until the upgrade, which lifts it
		IdleTimeout: m.cfg.HandshakeTimeout,
		ErrorLog:    slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
	}
	m.mu.Lock()
	if m.state >= nodeClosed {
		m.mu.Unlock()
		l.Close()
		return http.ErrServerClosed
	}
	m.servers[srv] = struct{}{}
	m.serving.Add(1)
	m.mu.Unlock()
	defer m.serving.Done()
	defer m.served(srv)
	if m.servesTLS() {
		srv.TLSConfig = m.cfg.TLS.Clone()
		srv.TLSConfig.NextProtos = []string{"http/1.1"}
		return srv.ServeTLS(wsnet.Listen(l), "", "")
	}
	if m.cfg.Local[:5] == "https" {
		m.log.Info("Serve leaves TLS to the listener or a proxy: Config.TLS has no certificate")
	}
	return srv.Serve(l)
}

// servesTLS reports whether Serve has a name for TLS and something to prove it with.
func (m *Manager) servesTLS() bool {
	c := m.cfg.TLS
	return c != nil && m.cfg.Local[:5] == "https" &&
		(len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil)
}

// served forgets a server whose Serve returns. Its Close may have come just before it
// knew the last connection that it has accepted.
func (m *Manager) served(srv *http.Server) {
	srv.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.servers, srv)
}
