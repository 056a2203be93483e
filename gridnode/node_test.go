package gridnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/gridnode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	hEcho gridnode.HandlerID = iota + 1
	hFail
	hMux
	hChan
	hHang
)

// grid starts n nodes over loopback TCP, connects all and closes them at the end.
func grid(t testing.TB, n int, register func(*gridnode.Manager)) []*gridnode.Manager {
	t.Helper()
	var listeners []net.Listener
	var names []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		names = append(names, "http://"+l.Addr().String())
	}
	var nodes []*gridnode.Manager
	var serving sync.WaitGroup
	for i := range n {
		cfg := gridnode.Config{Local: names[i], Peers: names}
		if os.Getenv("GRIDLOG") != "" {
			cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		m, err := gridnode.NewManager(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if register != nil {
			register(m)
		}
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
		serving.Go(func() { m.Serve(listeners[i]) })
		nodes = append(nodes, m)
	}
	t.Cleanup(func() {
		for _, m := range nodes {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		serving.Wait()
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, m := range nodes {
		for _, name := range names {
			if err := m.Connection(name).WaitForConnect(ctx); err != nil {
				t.Fatalf("%s to %s: %v; %v", m.Local(), name, err, m.Connection(name).Err())
			}
		}
	}
	return nodes
}

func registerAll(m *gridnode.Manager) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(m.RegisterSingle(hEcho, func(ctx context.Context, req []byte) ([]byte, error) { return req, nil }))
	must(m.RegisterSingle(hFail, func(ctx context.Context, req []byte) ([]byte, error) { return nil, errors.New(string(req)) }))
	must(m.RegisterSingle(hHang, func(ctx context.Context, req []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}))
	must(m.RegisterMux(hMux, gridnode.MuxHandler{InCapacity: 8, OutCapacity: 8, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
		if err := st.Send(ctx, st.Payload()); err != nil {
			return err
		}
		for msg, err := range st.All(ctx) {
			if err != nil {
				return err
			}
			if err := st.Send(ctx, msg); err != nil {
				return err
			}
		}
		return nil
	}}))
	must(m.RegisterStream(hChan, gridnode.StreamHandler{InCapacity: 3, OutCapacity: 2, Handle: func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
		for msg := range in {
			out <- append(append([]byte(nil), payload...), msg...)
		}
		return nil
	}}))
}

func TestSingleEchoesBothWaysOverOneConnection(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	ctx := context.Background()
	for i, m := range nodes {
		c := m.Connection(nodes[1-i].Local())
		for _, size := range []int{0, 1, 512, 4097, 65536, 65537, 1 << 20, 9 << 20} {
			req := bytes.Repeat([]byte{byte(size)}, size)
			resp, err := c.Request(ctx, hEcho, req)
			if err != nil || !bytes.Equal(req, resp) || resp == nil {
				t.Fatalf("size %d: %d bytes, %v", size, len(resp), err)
			}
		}
		if resp, err := c.Request(ctx, hEcho, nil); err != nil || resp != nil {
			t.Fatalf("nil came back as %v, %v", resp, err)
		}
		_, err := c.Request(ctx, hFail, []byte("boom"))
		var e *gridnode.Error
		if !errors.As(err, &e) || e.Message != "boom" || !e.Remote {
			t.Fatalf("error came back as %#v", err)
		}
		if _, err := c.Request(ctx, 77, nil); !errors.Is(err, gridnode.ErrUnknownHandler) {
			t.Fatal(err)
		}
		if n := c.Stats().Sessions; n != 1 {
			t.Fatalf("%d sessions", n)
		}
	}
}

func TestLoopbackBehavesLikeAnyConnection(t *testing.T) {
	nodes := grid(t, 1, registerAll)
	c := nodes[0].Connection(nodes[0].Local())
	req := bytes.Repeat([]byte("x"), 3<<20)
	resp, err := c.Request(context.Background(), hEcho, req)
	if err != nil || !bytes.Equal(req, resp) {
		t.Fatal(len(resp), err)
	}
	muxEcho(t, c)
}

func muxEcho(t *testing.T, c *gridnode.Connection) {
	t.Helper()
	ctx := context.Background()
	st, err := c.OpenMux(ctx, hMux, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if msg, err := st.Recv(ctx); err != nil || string(msg) != "hello" {
		t.Fatal(string(msg), err)
	}
	go func() {
		for i := range 100 {
			if err := st.Send(ctx, bytes.Repeat([]byte{byte(i)}, i*2000)); err != nil {
				t.Error(err)
			}
		}
		st.CloseSend()
	}()
	n := 0
	for msg, err := range st.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if len(msg) != n*2000 {
			t.Fatalf("message %d has %d bytes", n, len(msg))
		}
		n++
	}
	if n != 100 {
		t.Fatalf("%d messages", n)
	}
	if _, err := st.Recv(ctx); err != io.EOF {
		t.Fatal(err)
	}
}

func TestStreamEchoes(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	for i, m := range nodes {
		c := m.Connection(nodes[1-i].Local())
		muxEcho(t, c)
		st, err := c.NewStream(context.Background(), hChan, []byte("p-"))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer close(st.Requests)
			for i := range 50 {
				st.Requests <- fmt.Appendf(nil, "%d", i)
			}
		}()
		n := 0
		err = st.Results(func(msg []byte) error {
			if string(msg) != fmt.Sprintf("p-%d", n) {
				t.Errorf("message %d is %q", n, msg)
			}
			n++
			return nil
		})
		if err != nil || n != 50 {
			t.Fatal(n, err)
		}
	}
}

func TestCancelReachesTheHandlerAndReturnsAtOnce(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	ctx, cancel := context.WithCancel(context.Background())
	c := nodes[0].Connection(nodes[1].Local())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Request(ctx, hHang, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Request(ctx, hHang, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	for nodes[1].Connection(nodes[0].Local()).Stats().ServingCalls > 0 {
		time.Sleep(time.Millisecond)
	}
}

func TestBroadcastQuorumFirstOf(t *testing.T) {
	nodes := grid(t, 5, registerAll)
	results := nodes[0].Broadcast(context.Background(), hEcho, []byte("hi"), gridnode.Fanout{})
	if len(results) != 4 {
		t.Fatal(results)
	}
	for _, r := range results {
		if r.Err != nil || string(r.Resp) != "hi" {
			t.Fatal(r)
		}
	}
	got, err := nodes[0].Quorum(context.Background(), hEcho, []byte("q"), 3, gridnode.Fanout{}, nil)
	if err != nil || len(got) < 3 {
		t.Fatal(got, err)
	}
	if r, err := nodes[0].FirstOf(context.Background(), hEcho, []byte("q"), gridnode.Fanout{}); err != nil || string(r.Resp) != "q" {
		t.Fatal(r, err)
	}
}

func BenchmarkSingle(b *testing.B) {
	nodes := grid(b, 2, registerAll)
	c := nodes[0].Connection(nodes[1].Local())
	for _, callers := range []int{1, 2, 16, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.ReportAllocs()
			var wg sync.WaitGroup
			req := make([]byte, 512)
			for i := range callers {
				n := b.N / callers
				if i == 0 {
					n += b.N % callers
				}
				wg.Go(func() {
					for range n {
						if _, err := c.Request(context.Background(), hEcho, req); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
