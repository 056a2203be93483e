package gridnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	hPanic gridnode.HandlerID = 90 + iota
	hPanicMux
	hPanicChan
	hFlood
)

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func explode() { panic("kaboom") }

// Promise 10, for every kind of handler; the node calls itself, which takes the same
// path but for the network.
func TestAHandlersPanicIsItsCallersErrorAndTheNodeLivesOn(t *testing.T) {
	var log lockedBuffer
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:1", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	registerAll(m)
	err = errors.Join(
		m.RegisterSingle(hPanic, func(context.Context, []byte) ([]byte, error) { explode(); return nil, nil }),
		m.RegisterMux(hPanicMux, gridnode.MuxHandler{Handle: func(context.Context, *gridnode.MuxServer) error { explode(); return nil }}),
		m.RegisterStream(hPanicChan, gridnode.StreamHandler{InCapacity: 1, Handle: func(context.Context, []byte, <-chan []byte, chan<- []byte) error {
			explode()
			return nil
		}}),
		m.Start(),
	)
	if err != nil {
		t.Fatal(err)
	}
	conn := m.Connection(m.Local())
	ctx := t.Context()
	if err := conn.WaitForConnect(ctx); err != nil {
		t.Fatal(err)
	}
	for id, call := range map[gridnode.HandlerID]func() error{
		hPanic: func() error { _, err := conn.Request(ctx, hPanic, nil); return err },
		hPanicMux: func() error {
			st, err := conn.OpenMux(ctx, hPanicMux, nil)
			if err == nil {
				_, err = st.Recv(ctx)
			}
			return err
		},
		hPanicChan: func() error {
			st, err := conn.NewStream(ctx, hPanicChan, nil)
			if err == nil {
				err = st.Results(func([]byte) error { return nil })
			}
			return err
		},
	} {
		err := call()
		if !errors.Is(err, gridnode.ErrPanic) || !strings.Contains(err.Error(), "kaboom") || strings.Contains(err.Error(), "explode") {
			t.Errorf("handler %d: %v", id, err)
		}
	}
	if n := strings.Count(log.String(), "gridnode_test.explode"); n < 3 {
		t.Errorf("%d stacks in the log:\n%s", n, log.String())
	}
	if resp, err := conn.Request(ctx, hEcho, []byte("alive")); err != nil || string(resp) != "alive" {
		t.Errorf("afterwards: %q, %v", resp, err)
	}
}

// Promise 11, for what is passed in: every form of every call copies before it
// returns. Sizes are on both sides of what is copied at once, and of a fragment.
func TestABufferMayBeReusedAsSoonAsTheCallReturns(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	ctx := context.Background()
	conn := nodes[0].Connection(nodes[1].Local())
	for _, size := range []int{100, 5_000, 70_000} {
		buf := make([]byte, size)
		fill := func(b byte) []byte {
			for i := range buf {
				buf[i] = b
			}
			return buf
		}
		st, err := conn.OpenMux(ctx, hMux, fill('p'))
		fill('x')
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []byte("abcdefgh") { // as many as are taken without Recv
			if err := st.Send(ctx, fill(b)); err != nil {
				t.Fatal(err)
			}
			fill('x')
		}
		st.CloseSend()
		want := []byte("pabcdefgh")
		for msg, err := range st.All(ctx) {
			if err != nil || len(msg) != size || !bytes.Equal(msg, bytes.Repeat(want[:1], size)) {
				t.Fatalf("size %d: %d bytes of %q, want %q; %v", size, len(msg), msg[:1], want[:1], err)
			}
			want = want[1:]
		}
		if len(want) > 0 {
			t.Errorf("size %d: %q did not come", size, want)
		}
	}
}

// Promise 6: while a stream is full at both ends, everything else goes on; afterwards
// nothing is missing.
func TestAFullStreamSlowsNobody(t *testing.T) {
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		registerAll(m)
		m.RegisterMux(hFlood, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for i := range 100 {
				if err := st.Send(ctx, fmt.Append(nil, i)); err != nil {
					return err
				}
			}
			return nil
		}})
	})
	ctx := context.Background()
	conn := nodes[0].Connection(nodes[1].Local())
	full, err := conn.OpenMux(ctx, hFlood, nil) // nobody reads: its window is 1
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := conn.Request(ctx, hEcho, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	muxEcho(t, conn)
	n := 0
	for msg, err := range full.All(ctx) {
		if err != nil || string(msg) != fmt.Sprint(n) {
			t.Fatalf("message %d: %q, %v", n, msg, err)
		}
		n++
	}
	if n != 100 {
		t.Errorf("%d of 100 messages", n)
	}
}
