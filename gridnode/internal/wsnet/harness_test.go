package wsnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

const (
	patience   = 20 * time.Second // for what must happen
	maxMessage = 1 << 20
)

// host is a server whose upgraded connections wait in links, and what dials it.
type host struct {
	net     Net // of both ends
	server  *httptest.Server
	options DialOptions
	links   chan *Link
	polled  bool // plain TCP: the connections are on the engine, if there is one
	tcp     bool // the network below is TCP
}

// networks are the ways to connect, each with a transport of its own below Conn.
var networks = []struct {
	name string
	host func(tb testing.TB, configure ...func(*http.Server)) *host
}{
	{"tcp", newTCP}, {"tls", newTLS}, {"foreign tls", newForeignTLS}, {"wrapped", newWrapped}, {"pipe", newPipe},
}

// forEachNetwork is the conformance runner: every test holds for each network.
func forEachNetwork(t *testing.T, test func(t *testing.T, h *host)) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) { test(t, n.host(t)) })
	}
}

func newTCP(tb testing.TB, configure ...func(*http.Server)) *host {
	h := newHost(tb, nil, configure)
	h.server.Start()
	h.options.URL, h.polled, h.tcp = h.server.URL, havePoller, true
	return h
}

func newTLS(tb testing.TB, configure ...func(*http.Server)) *host {
	return startTLS(newHost(tb, nil, configure), Listen)
}

// newForeignTLS is TLS in a server that does not use Listen: only the client is polled.
func newForeignTLS(tb testing.TB, configure ...func(*http.Server)) *host {
	return startTLS(newHost(tb, nil, configure), func(l net.Listener) net.Listener { return l })
}

func startTLS(h *host, listen func(net.Listener) net.Listener) *host {
	h.server.Listener = listen(h.server.Listener)
	h.server.StartTLS()
	h.options.URL, h.tcp = h.server.URL, true
	h.options.TLS = h.server.Client().Transport.(*http.Transport).TLSClientConfig
	return h
}

// wrapped is a connection of somebody else's type.
type wrapped struct{ net.Conn }

type wrapper struct{ net.Listener }

func (w wrapper) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	return wrapped{conn}, err
}

func newWrapped(tb testing.TB, configure ...func(*http.Server)) *host {
	h := newHost(tb, nil, configure)
	h.server.Listener = wrapper{h.server.Listener}
	h.server.Start()
	h.options.URL, h.tcp = h.server.URL, true
	h.options.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialTCP(ctx, network, addr)
		return wrapped{conn}, err
	}
	return h
}

// newPipe connects by net.Pipe: nothing is buffered, each byte waits for its reader.
func newPipe(tb testing.TB, configure ...func(*http.Server)) *host {
	pipes := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	h := newHost(tb, pipes, configure)
	h.server.Start()
	h.options.URL, h.options.Dial = h.server.URL, pipes.dial
	return h
}

func dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// newHost makes a host that is still to be started, on a listener of its own if given.
func newHost(tb testing.TB, listener net.Listener, configure []func(*http.Server)) *host {
	h := &host{links: make(chan *Link, 100), options: DialOptions{Dial: dialTCP, MaxMessage: maxMessage}}
	h.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := Upgrade(w, r, maxMessage)
		if err != nil {
			tb.Errorf("upgrade: %v", err)
			return
		}
		h.links <- l
	}))
	for _, c := range configure {
		c(h.server.Config)
	}
	if listener != nil {
		h.server.Listener.Close()
		h.server.Listener = listener
	}
	tb.Cleanup(func() {
		h.server.CloseClientConnections()
		h.server.Close()
		h.net.Close()
	})
	return h
}

// dial returns both ends of a connection that is upgraded.
func (h *host) dial(tb testing.TB) (client, server *Link) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := Dial(ctx, h.options)
	if err != nil {
		tb.Fatal(err)
	}
	return client, receive(tb, h.links)
}

// pair returns both ends of a live connection; the server echoes.
func (h *host) pair(tb testing.TB) (client, server *end) {
	tb.Helper()
	c, s := h.dial(tb)
	return h.start(tb, c, nil), h.start(tb, s, echo)
}

// raw returns the client's side as a bare connection, which the test closes, and the
// server's end live.
func (h *host) raw(tb testing.TB, do func(e *end, msg []byte) error) (net.Conn, *end) {
	tb.Helper()
	c, s := h.dial(tb)
	tb.Cleanup(func() { below(c.conn).Close() })
	return c.conn, h.start(tb, s, do)
}

// below returns the connection under TLS, whose Close waits for nobody.
func below(conn net.Conn) net.Conn {
	if tcp := pollable(conn); tcp != nil {
		return tcp
	}
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}

// start makes a link live; do is called for each message, nil keeps it in end.got.
func (h *host) start(tb testing.TB, l *Link, do func(e *end, msg []byte) error) *end {
	tb.Helper()
	e := newEnd(tb, do)
	if err := l.Start(&h.net, e.bind); err != nil {
		tb.Fatal(err)
	}
	return e
}

// end is one side of a live connection: a Handler that checks the promises to it, and
// ends with its test.
type end struct {
	Conn
	tb       testing.TB
	do       func(e *end, msg []byte) error
	batch    func()
	got      chan []byte
	batches  atomic.Int64
	writable chan struct{}
	closed   chan error
	inside   atomic.Bool
	over     atomic.Bool
}

func newEnd(tb testing.TB, do func(e *end, msg []byte) error) *end {
	e := &end{tb: tb, do: do, batch: func() {}, got: make(chan []byte, 1<<16), writable: make(chan struct{}, 1<<10), closed: make(chan error, 1)}
	if do == nil {
		e.do = func(e *end, msg []byte) error { e.got <- bytes.Clone(msg); return nil }
	}
	return e
}

func (e *end) bind(c Conn) Handler {
	e.Conn = c
	e.tb.Cleanup(func() {
		e.Close(nil)
		select {
		case <-e.closed:
		case <-time.After(patience):
			e.tb.Error("Closed was never called")
		}
		close(e.closed)
	})
	return e
}

// enter checks that no callback runs beside another, or after Closed.
func (e *end) enter(what string) {
	if !e.inside.CompareAndSwap(false, true) {
		e.tb.Errorf("%s beside another callback", what)
	}
	if e.over.Load() {
		e.tb.Errorf("%s after Closed", what)
	}
}

func (e *end) leave() { e.inside.Store(false) }

func (e *end) Message(msg []byte) error {
	e.enter("Message")
	defer e.leave()
	return e.do(e, msg)
}

func (e *end) BatchEnd() {
	e.enter("BatchEnd")
	defer e.leave()
	e.batches.Add(1)
	e.batch()
}

func (e *end) Writable() {
	if e.over.Load() {
		e.tb.Error("Writable after Closed")
	}
	e.writable <- struct{}{}
}

func (e *end) Closed(err error) {
	e.enter("Closed")
	defer e.leave()
	if err == nil {
		e.tb.Error("Closed without an error")
	}
	e.over.Store(true)
	e.closed <- err
}

// wantEnd waits for Closed and returns its error. Close may be called again.
func (e *end) wantEnd(tb testing.TB) error {
	tb.Helper()
	err := receive(tb, e.closed)
	e.closed <- err // for the cleanup
	return err
}

func echo(e *end, msg []byte) error { return e.Send(framed(msg)) }

// framed returns payload as Send takes it.
func framed(payload []byte) []byte {
	return append(make([]byte, HeaderSpace, HeaderSpace+len(payload)), payload...)
}

func (e *end) mustSend(tb testing.TB, payload []byte) {
	tb.Helper()
	if err := e.Send(framed(payload)); err != nil {
		tb.Fatalf("send: %v", err)
	}
}

func receive[T any](tb testing.TB, c <-chan T) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		tb.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually polls for what has no channel.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			tb.Fatalf("never: %s", what)
		}
	}
}
