package test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// newNode is a node of its own that is not started; it is closed at the end.
func newNode(t testing.TB) *gridnode.Manager {
	t.Helper()
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:9000"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestStartTwiceIsAnError(t *testing.T) {
	m := newNode(t)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err == nil {
		t.Error("the second Start worked")
	}
	if err := m.Connection(m.Local()).WaitForConnect(t.Context()); err != nil {
		t.Errorf("the node is broken by it: %v", err)
	}
	m.Close()
	wantIs(t, m.Start(), gridnode.ErrClosed)
}

func TestHandlersAreFixedFromStartOn(t *testing.T) {
	m := newNode(t)
	if err := m.RegisterSingle(hEcho, echo); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"single": m.RegisterSingle(hOwn, echo),
		"mux":    m.RegisterMux(hOwn2, gridnode.MuxHandler{Handle: echoMux}),
		"stream": m.RegisterStream(hOwn3, gridnode.StreamHandler{Handle: echoStream}),
	} {
		if err == nil || errors.Is(err, gridnode.ErrHandlerExists) {
			t.Errorf("%s after Start: %v", name, err)
		}
	}
}

func TestRegisteringTwiceOrWronglyIsAnError(t *testing.T) {
	m := newNode(t)
	st := gridnode.StreamHandler{Handle: echoStream}
	err := errors.Join(
		m.RegisterSingle(hEcho, echo), m.RegisterSingle(hEcho, echo, "a"), m.RegisterSingle(hEcho, echo, "a", "b"),
		m.RegisterStream(hEchoStream, st), m.RegisterMux(hEchoMux, gridnode.MuxHandler{Handle: echoMux, Subroute: "a"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	taken := st
	taken.Subroute = "a/b"
	for name, err := range map[string]error{
		"the same number":    m.RegisterSingle(hEcho, echo),
		"the same route":     m.RegisterSingle(hEcho, echo, "a/b"),
		"a stream, a single": m.RegisterStream(hEcho, taken),
		"a single, a stream": m.RegisterSingle(hEchoStream, echo),
		"a stream, a mux":    m.RegisterStream(hEchoMux, gridnode.StreamHandler{Handle: echoStream, Subroute: "a"}),
	} {
		if !errors.Is(err, gridnode.ErrHandlerExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"handler 0":         m.RegisterSingle(0, echo),
		"no function":       m.RegisterSingle(hOwn, nil),
		"no stream":         m.RegisterStream(hOwn, gridnode.StreamHandler{}),
		"no mux":            m.RegisterMux(hOwn, gridnode.MuxHandler{}),
		"negative capacity": m.RegisterStream(hOwn, gridnode.StreamHandler{Handle: echoStream, InCapacity: -1}),
		"huge capacity":     m.RegisterStream(hOwn, gridnode.StreamHandler{Handle: echoStream, OutCapacity: math.MaxInt}),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// Every field that cannot work is refused by NewManager, and the error names it.
func TestBadConfigFieldsAreNamed(t *testing.T) {
	good := gridnode.Config{Local: "http://127.0.0.1:9000", Peers: []string{"http://127.0.0.1:9001"}}
	for field, spoil := range map[string]func(*gridnode.Config){
		"Local":            func(c *gridnode.Config) { c.Local = "" },
		"Local ":           func(c *gridnode.Config) { c.Local = "127.0.0.1:9000" },
		"Local  ":          func(c *gridnode.Config) { c.Local = "http://127.0.0.1:0" },
		"Local   ":         func(c *gridnode.Config) { c.Local = "http://host:9000/path" },
		"Peers[0]":         func(c *gridnode.Config) { c.Peers = []string{"ftp://host:1"} },
		"Peers[1]":         func(c *gridnode.Config) { c.Peers = append(c.Peers, "HTTP://127.0.0.1:9001/") },
		"Path":             func(c *gridnode.Config) { c.Path = "grid" },
		"HandshakeTimeout": func(c *gridnode.Config) { c.HandshakeTimeout = -1 },
		"ReconnectMin":     func(c *gridnode.Config) { c.ReconnectMin = -1 },
		"ReconnectMax":     func(c *gridnode.Config) { c.ReconnectMax = 1 },
		"PingAfter":        func(c *gridnode.Config) { c.PingAfter = -1 },
		"DeadAfter":        func(c *gridnode.Config) { c.DeadAfter = time.Second },
		"CloseTimeout":     func(c *gridnode.Config) { c.CloseTimeout = -1 },
		"MaxMessage":       func(c *gridnode.Config) { c.MaxMessage = -1 },
		"MaxMessage ":      func(c *gridnode.Config) { c.MaxMessage = math.MaxInt },
		"MaxMuxesPerPeer":  func(c *gridnode.Config) { c.MaxMuxesPerPeer = -1 },
		"MaxMuxes":         func(c *gridnode.Config) { c.MaxMuxes = -1 },
		"Window":           func(c *gridnode.Config) { c.Window = 1 },
		"ReceiveBudget":    func(c *gridnode.Config) { c.ReceiveBudget = -1 },
		"QueueLimit":       func(c *gridnode.Config) { c.QueueLimit = 1 },
	} {
		bad := good
		spoil(&bad)
		m, err := gridnode.NewManager(bad)
		if err == nil || m != nil || !strings.Contains(err.Error(), "Config."+strings.TrimSpace(field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := gridnode.NewManager(good); err != nil {
		t.Error(err)
	}
}

// A Connection is one for each name, however it is written; nil for a stranger.
func TestConnectionsAreOnePerName(t *testing.T) {
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://Node:80", Peers: []string{"http://node", "http://peer:9000"}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	conn := m.Connection("http://peer:9000")
	if conn == nil || m.Connection("http://PEER:9000/") != conn {
		t.Error("another spelling is another connection")
	}
	if own := m.Connection("http://node:80"); own == nil || own != m.Connection("http://node") {
		t.Error("no loopback connection")
	}
	for _, stranger := range []string{"", "peer:9000", "http://peer:9001", "https://peer:9000", "nonsense"} {
		if m.Connection(stranger) != nil {
			t.Errorf("%q has a connection", stranger)
		}
	}
	if peers := m.Peers(); len(peers) != 1 || peers[0] != "http://peer:9000" {
		t.Errorf("peers %v", peers)
	}
}

// Before Start there is no connection, not even to the node itself, and calls say so.
func TestCallsBeforeStartAreNotSent(t *testing.T) {
	m := newNode(t)
	_, err := m.Connection(m.Local()).Request(t.Context(), hEcho, nil)
	wantIs(t, err, gridnode.ErrNotSent)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantIs(t, m.Connection(m.Local()).WaitForConnect(ctx), context.DeadlineExceeded)
}

// W6: whoever waits for a connection wakes up when the node closes; afterwards waiting
// ends at once.
func TestWaitForConnectEndsWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gridtest.NewCluster(t, 1, gridtest.WithPeers("http://nobody:9000"))
		conn, ended := c.Node(0).Connection("http://nobody:9000"), make(chan error, 10)
		for range cap(ended) {
			go func() { ended <- conn.WaitForConnect(background) }() // ends with Close
		}
		<-time.After(time.Minute)
		c.Stop(0)
		for range cap(ended) {
			wantIs(t, receive(t, "the waiting ends", ended), gridnode.ErrClosed)
		}
		wantIs(t, conn.WaitForConnect(background), gridnode.ErrClosed)
	})
}

// Close while a dial is under way, and while a peer's handshake is: it does not wait
// for either to end by itself.
func TestCloseDuringADial(t *testing.T) {
	dialling := make(chan struct{}, 10)
	m, err := gridnode.NewManager(gridnode.Config{
		Local: "http://127.0.0.1:9000",
		Peers: []string{"http://127.0.0.1:9001", "http://127.0.0.1:9002", "http://127.0.0.1:9003"},
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			dialling <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		},
		HandshakeTimeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // whoever is not the side that dials knocks
		receive(t, "a dial", dialling)
	}
	start := time.Now()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// Close while somebody is connected who does not say hello.
func TestCloseDuringAHandshake(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		c := n.cluster(t, 1, config(func(cfg *gridnode.Config) { cfg.HandshakeTimeout = time.Hour }))
		silent, err := c.Dial(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		half, err := c.Dial(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer half.Close()
		if _, err := half.Write([]byte("GET /grid/v1 HTTP/1.1\r\nHost: node0:9000\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 12)
		if _, err := io.ReadFull(half, answer); err != nil || string(answer) != "HTTP/1.1 101" {
			t.Fatalf("%q, %v", answer, err)
		}
		start := time.Now()
		c.Stop(0)
		n.wantWithin(t, "Close", start, 0)
	})
}

// Serve ends with the node, and at once on a node that is closed; several may run.
func TestServeEndsWithTheNode(t *testing.T) {
	m := newNode(t)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serving.Go(func() { wantIs(t, m.Serve(l), http.ErrServerClosed) }) // ends with Close
	}
	m.Close()
	serving.Wait()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wantIs(t, m.Serve(l), http.ErrServerClosed)
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
