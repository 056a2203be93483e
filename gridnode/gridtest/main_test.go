package gridtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hEcho gridnode.HandlerID = 1

func echoing(_ int, m *gridnode.Manager) error {
	return m.RegisterSingle(hEcho, func(_ context.Context, req []byte) ([]byte, error) { return req, nil })
}

// on runs a test over each of the networks; over Memory in virtual time.
func on(t *testing.T, networks []gridtest.Network, run func(t *testing.T, kind gridtest.Network)) {
	t.Helper()
	for _, kind := range networks {
		body := func(t *testing.T) { run(t, kind) }
		t.Run(kind.String(), func(t *testing.T) {
			if kind == gridtest.Memory {
				synctest.Test(t, body)
			} else {
				body(t)
			}
		})
	}
}

var (
	all   = []gridtest.Network{gridtest.Memory, gridtest.TCP, gridtest.TLS}
	links = []gridtest.Network{gridtest.Memory, gridtest.TCP} // the kinds of Link that there are
)

// cluster is a cluster whose nodes echo.
func cluster(t testing.TB, n int, kind gridtest.Network, opts ...gridtest.Option) *gridtest.Cluster {
	t.Helper()
	opts = append([]gridtest.Option{gridtest.WithNetwork(kind), gridtest.WithHandlers(echoing)}, opts...)
	return gridtest.NewCluster(t, n, opts...)
}

func wantEcho(t *testing.T, c *gridtest.Cluster, from, to int) {
	t.Helper()
	text := fmt.Sprintf("%d to %d", from, to)
	if resp, err := c.Conn(from, to).Request(t.Context(), hEcho, []byte(text)); err != nil || string(resp) != text {
		t.Fatalf("node %d to node %d: %q, %v", from, to, resp, err)
	}
}

// eventually waits until ok, for the end of the test if need be.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll, limit := time.NewTicker(time.Millisecond), time.After(20*time.Second)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-limit:
			t.Fatalf("this did not come about: %s", what)
		}
	}
}

// wires are what a test needs that looks at bare bytes between nodes 0 and 1: both are
// stopped, and the test plays them.
type wires struct {
	*gridtest.Cluster
	*gridtest.Link
	listener net.Listener // node 1's
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
}

func newWires(t *testing.T, kind gridtest.Network) *wires {
	t.Helper()
	w := &wires{}
	w.Cluster = cluster(t, 2, kind, gridtest.WithoutWait(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		if i == 0 {
			w.dial = cfg.Dial
		}
	}))
	w.Stop(0)
	w.Stop(1)
	w.Link = w.Cluster.Link(0, 1)
	var err error
	if w.listener, err = w.Listen(w.Name(1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.listener.Close() })
	return w
}

// tryDial dials node 1 as node 0.
func (w *wires) tryDial(ctx context.Context) (net.Conn, error) {
	return w.dial(ctx, "tcp", strings.TrimPrefix(w.Name(1), "http://"))
}

// connect makes a connection from node 0 to node 1.
func (w *wires) connect(t *testing.T) (a, b net.Conn) {
	t.Helper()
	a, err := w.tryDial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if b, err = w.listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a, b
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

func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if n, err := c.Write(b); err != nil {
		t.Fatalf("%d of %d bytes written: %v", n, len(b), err)
	}
}

// wantRead reads len(want) bytes.
func wantRead(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("%d of %d bytes read: %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("other bytes were read than were written, of %d", len(want))
	}
}

// wantBroken reads want and then the end, which must be an error of the connection, not io.EOF.
func wantBroken(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(c)
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection ended with %v, want it broken", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came through, want the first %d", len(got), len(want))
	}
}

const aWhile = 50 * time.Millisecond // how long nothing must happen

// wantSilence checks that nothing arrives and the connection stays up.
func wantSilence(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(aWhile))
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes arrived, %v; want silence", n, err)
	}
	c.SetReadDeadline(time.Time{})
}

// failingTB is a test that may fail without harm to the one that looks.
type failingTB struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (f *failingTB) Helper()            {}
func (f *failingTB) Cleanup(end func()) { f.cleanups = append(f.cleanups, end) }

func (f *failingTB) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *failingTB) Fatalf(format string, args ...any) {
	f.Errorf("fatal: "+format, args...)
	runtime.Goexit()
}

// failing runs a test up to the end of its cleanups and returns its failures.
func failing(t *testing.T, test func(tb testing.TB)) []string {
	t.Helper()
	f := &failingTB{TB: t}
	var running sync.WaitGroup
	running.Go(func() { test(f) })
	running.Wait()
	running.Go(func() {
		for i := range f.cleanups {
			f.cleanups[len(f.cleanups)-1-i]()
		}
	})
	running.Wait()
	return f.failures
}

// wantFailures checks that a test fails in these ways, each told by a part of its text.
func wantFailures(t *testing.T, test func(tb testing.TB), want ...string) {
	t.Helper()
	got := failing(t, test)
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		ok = ok && strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("failures %q, want %q", got, want)
	}
}
