//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// stacks returns the stacks of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

func TestTLSTakesNoGoroutine(t *testing.T) {
	h := newTLS(t)
	for range 3 {
		client, server := h.pair(t)
		client.mustSend(t, []byte("hello"))
		receive(t, client.got)
		for _, e := range []*end{client, server} {
			if c, ok := e.Conn.(*pollConn); !ok || c.tls == nil {
				t.Errorf("TLS is served by a %T", e.Conn)
			}
		}
	}
	if all := stacks(); strings.Contains(all, "streamConn") {
		t.Errorf("a connection has goroutines:\n%s", all)
	}
}

// A handshake within the session would need reads that wait.
func TestTLSWithRenegotiationIsNotPolled(t *testing.T) {
	h := newTLS(t)
	h.options.TLS = h.options.TLS.Clone()
	h.options.TLS.Renegotiation = tls.RenegotiateOnceAsClient
	client, _ := h.pair(t)
	if _, ok := client.Conn.(*streamConn); !ok {
		t.Errorf("served by a %T", client.Conn)
	}
	client.mustSend(t, []byte("hello"))
	receive(t, client.got)
}

// relay stands between the ends, and passes on what each writes in pieces.
type relay struct {
	listener net.Listener
	to       string
	piece    int
	spoil    func(b []byte) // called with what the client has written
	running  sync.WaitGroup
}

// between puts a relay before the host's server.
func between(t *testing.T, h *host, piece int, spoil func([]byte)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, to: h.server.Listener.Addr().String(), piece: piece, spoil: spoil}
	h.options.URL = "https://" + l.Addr().String()
	r.running.Go(func() { r.serve(t) })
	t.Cleanup(func() { // after the ends have closed, which have been made later
		l.Close()
		r.running.Wait()
	})
}

func (r *relay) serve(t *testing.T) {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.to)
		if err != nil {
			t.Error(err)
			client.Close()
			return
		}
		r.running.Go(func() { r.pass(server, client, r.spoil) })
		r.running.Go(func() { r.pass(client, server, func([]byte) {}) })
	}
}

func (r *relay) pass(to, from net.Conn, spoil func([]byte)) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		spoil(buf[:n])
		for b := buf[:n]; len(b) > 0; {
			k := min(r.piece, len(b))
			if _, err := to.Write(b[:k]); err != nil {
				return
			}
			b = b[k:]
		}
		if err != nil {
			return
		}
	}
}

// Records come in pieces, of which the last byte of one read may be any.
func TestTLSRecordsMayComeInPieces(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, piece := range []int{1, 3, 5, 6, 100, 16 << 10} {
			h := newTLS(t)
			between(t, h, piece, func([]byte) {})
			h.options.TLS = h.options.TLS.Clone()
			h.options.TLS.MaxVersion = version
			client, _ := h.pair(t)
			for _, size := range []int{0, 1, 100, 2 * recordSize, 5*recordSize + 1} {
				if size > 1000*piece {
					continue // it takes a second, and shows no more
				}
				want := bytes.Repeat([]byte{byte(size), 1, 2}, size/3+1)[:size]
				client.mustSend(t, want)
				if got := receive(t, client.got); !bytes.Equal(got, want) {
					t.Errorf("%s, pieces of %d: %d bytes came back as %d, or changed", tls.VersionName(version), piece, size, len(got))
				}
			}
		}
	}
}

// Frames of one record and of many, by many goroutines, keep the order of their records.
func TestTLSFramesOfManySendersStayWhole(t *testing.T) {
	h := newTLS(t)
	client, _ := h.pair(t)
	const senders, each = 8, 50
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			msg := bytes.Repeat([]byte{byte(i)}, 1+i%4*recordSize)
			for range each {
				if err := client.Send(framed(msg)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range senders * each {
		msg := receive(t, client.got)
		if i := int(msg[0]); len(msg) != 1+i%4*recordSize || bytes.Count(msg, msg[:1]) != len(msg) {
			t.Fatalf("%d bytes of sender %d, mixed or cut", len(msg), i)
		}
	}
	wg.Wait()
	eventually(t, "nothing is pending", func() bool { return client.Pending() == 0 })
}

// A record that has been changed on the way ends its connection, with TLS's own error,
// and no other.
func TestASpoiltTLSRecordEndsItsConnection(t *testing.T) {
	h := newTLS(t)
	other, _ := h.pair(t)
	var mu sync.Mutex
	spoil := false
	between(t, h, 16<<10, func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		if spoil && len(b) > 0 {
			b[len(b)-1] ^= 1
		}
	})
	client, server := h.pair(t)
	client.mustSend(t, []byte("right"))
	receive(t, client.got)
	mu.Lock()
	spoil = true
	mu.Unlock()
	client.mustSend(t, []byte("wrong"))
	if err := server.wantEnd(t); !errors.Is(err, tls.AlertError(20)) && !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the server ended with %v", err)
	}
	if err := client.wantEnd(t); err == io.EOF || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the client ended with %v, and not with the server's alert", err)
	}
	other.mustSend(t, []byte("still there"))
	receive(t, other.got)
}

// A peer that reads nothing and has TLS answer cannot have it queue without a bound.
func TestWhatTLSItselfQueuesIsBounded(t *testing.T) {
	h := newTLS(t)
	_, e := h.raw(t, nil) // the client reads nothing
	c := e.Conn.(*pollConn)
	for !t.Failed() {
		if _, err := c.socket.Write(make([]byte, 1<<20)); err != nil {
			if !errors.Is(err, errUnread) {
				t.Errorf("ended with %v", err)
			}
			break
		}
		if c.Pending() > 2*mostSealed {
			t.Errorf("%d bytes are pending", c.Pending())
		}
	}
}
