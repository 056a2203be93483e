package memnet

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a test with virtual time on a network with a connection from a to b.
func inBubble(t *testing.T, test func(t *testing.T, n *Network, a, b *Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New()
		a, b := connect(t, n)
		test(t, n, a, b)
	})
}

// connect makes a connection from host a to host b.
func connect(t *testing.T, n *Network) (a, b *Conn) {
	t.Helper()
	l, err := n.Listen("b:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := n.Host("a").Dial(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dialled.Close()
		accepted.Close()
	})
	return dialled.(*Conn), accepted.(*Conn)
}

// pattern returns n bytes, of which no two neighbourhoods look alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return b
}

func write(t *testing.T, c io.Writer, b []byte) {
	t.Helper()
	if n, err := c.Write(b); n != len(b) || err != nil {
		t.Fatalf("Write of %d bytes = %d, %v", len(b), n, err)
	}
}

// wantRead reads len(want) bytes.
func wantRead(t *testing.T, c io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("read %d of %d bytes: %v", n, len(want), err)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("byte %d of %d is %#x, want %#x", i, len(want), got[i], want[i])
		}
	}
}

// wantArrived checks that n bytes can be read now, and not one more.
func wantArrived(t *testing.T, c net.Conn, n int) {
	t.Helper()
	synctest.Wait()
	conn := c.(*Conn)
	conn.link.mu.Lock()
	defer conn.link.mu.Unlock()
	if got := conn.in.arrived.Len(); got != n {
		t.Fatalf("%d bytes have arrived, want %d", got, n)
	}
}

// wantAfter checks that do takes this long in the bubble's time.
func wantAfter(t *testing.T, want time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if got := time.Since(start); got != want {
		t.Fatalf("it took %v, want %v", got, want)
	}
}
