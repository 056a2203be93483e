package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"
)

// eachPeer runs a test with a connected pair of every peer.
func eachPeer(t *testing.T, test func(t *testing.T, ctx context.Context, p *Peer, c Client)) {
	each(t, All(), test)
}

func each(t *testing.T, peers []*Peer, test func(t *testing.T, ctx context.Context, p *Peer, c Client)) {
	for _, p := range peers {
		t.Run(p.Name, func(t *testing.T) {
			pair, err := NewPair(p)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := pair.Close(); err != nil {
					t.Error(err)
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			test(t, ctx, p, pair.Client)
		})
	}
}

func TestSinglesOfConcurrentCallersAreEchoed(t *testing.T) {
	eachPeer(t, func(t *testing.T, ctx context.Context, _ *Peer, c Client) {
		var callers sync.WaitGroup
		defer callers.Wait()
		for i := range 16 {
			call, err := c.Caller(i)
			if err != nil {
				t.Fatal(err)
			}
			callers.Go(func() {
				for _, size := range []int{16, 512, 4 << 10, 64 << 10} {
					req := bytes.Clone(Pattern(size))
					req[0] = byte(i)
					resp, err := call(ctx, req)
					if err != nil || !bytes.Equal(resp, req) {
						t.Errorf("caller %d, %d bytes: %d bytes back, error %v", i, size, len(resp), err)
						return
					}
				}
			})
		}
	})
}

func TestStreamsMoveEveryMessageUnchanged(t *testing.T) {
	each(t, append(All(), TCPWindow()), func(t *testing.T, ctx context.Context, p *Peer, c Client) {
		for _, kind := range []Kind{Down, Up, Echo} {
			if !p.Streams.Has(kind) {
				continue
			}
			for _, plan := range []Plan{{Count: 10, Size: 512}, {Count: 500, Size: 512}, {Count: 3, Size: 64 << 10}, {Count: 2, Size: MaxMessage}} {
				if err := runStream(ctx, c.(Streamer), kind, plan); err != nil {
					t.Errorf("%v, %d messages of %d bytes: %v", kind, plan.Count, plan.Size, err)
				}
			}
		}
	})
}

// runStream runs a stream to its end and checks what arrives.
func runStream(ctx context.Context, c Streamer, kind Kind, plan Plan) error {
	st, err := c.Open(ctx, kind, plan)
	if err != nil {
		return err
	}
	msg := Pattern(int(plan.Size))
	if kind == Down {
		return expect(ctx, st, plan.Count, msg)
	}
	for range plan.Count {
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
		if kind != Echo {
			continue
		}
		got, err := st.Recv(ctx)
		if err != nil || !bytes.Equal(got, msg) {
			return fmt.Errorf("echo of %d bytes, error %v", len(got), err)
		}
	}
	if err := st.CloseSend(); err != nil {
		return err
	}
	if kind == Echo {
		return expect(ctx, st, 0, nil)
	}
	got, err := st.Recv(ctx)
	if err != nil {
		return err
	}
	want := Tally{Count: uint64(plan.Count), Bytes: uint64(plan.Count) * uint64(plan.Size)}
	if tally, err := DecodeTally(got); err != nil || tally != want {
		return fmt.Errorf("tally %+v, want %+v, error %v", tally, want, err)
	}
	return expect(ctx, st, 0, nil)
}

// expect reads count messages and the clean end.
func expect(ctx context.Context, st Stream, count uint32, msg []byte) error {
	for i := range count {
		got, err := st.Recv(ctx)
		if err != nil || !bytes.Equal(got, msg) {
			return fmt.Errorf("message %d: %d bytes, error %v", i, len(got), err)
		}
	}
	if got, err := st.Recv(ctx); err != io.EOF {
		return fmt.Errorf("%d bytes and %v instead of the end", len(got), err)
	}
	return nil
}

func TestMeshesEchoBetweenAllNodes(t *testing.T) {
	const nodes = 4
	for _, p := range All() {
		if p.NewMesh == nil {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			mesh, err := p.NewMesh(nodes)
			if err != nil {
				t.Fatal(err)
			}
			defer mesh.Close()
			for from := range nodes {
				for to := range nodes {
					if from != to {
						callOnce(t, mesh, from, to)
					}
				}
			}
		})
	}
}

// Calls of both directions cross on each connection.
func TestMeshesEchoUnderLoad(t *testing.T) {
	const nodes, callers = 3, 24
	for _, p := range All() {
		if p.NewMesh == nil {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			mesh, err := p.NewMesh(nodes)
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for n := range 200 {
						from := (i + n) % nodes
						callOnce(t, mesh, from, (from+1+n%2)%nodes)
					}
				})
			}
			all.Wait()
			if err := mesh.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func callOnce(t *testing.T, mesh Mesh, from, to int) {
	t.Helper()
	call, err := mesh.Caller(from, to)
	if err != nil {
		t.Error(err)
		return
	}
	req := []byte{byte(from), byte(to)}
	resp, err := call(t.Context(), req)
	if err != nil || !bytes.Equal(resp, req) {
		t.Errorf("from %d to %d: %v, error %v", from, to, resp, err)
	}
}

func TestAGridWithTLSAndTypedCallsWorks(t *testing.T) {
	for _, s := range []Security{Plain, TLS} {
		g, err := NewGrid(3, s)
		if err != nil {
			t.Fatal(err)
		}
		callOnce(t, g, 0, 2)
		req := Pattern(512)
		if resp, err := g.Typed(1, 0)(t.Context(), req); err != nil || !bytes.Equal(resp, req) {
			t.Errorf("typed: %d bytes, error %v", len(resp), err)
		}
		if err := g.Broadcast(t.Context(), 0, req); err != nil {
			t.Error(err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatAPeerDoesNotHaveIsRefused(t *testing.T) {
	pair, err := NewPair(NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	_, err = pair.Client.(Streamer).Open(t.Context(), Up, Plan{})
	if !errors.Is(err, ErrUnsupported) {
		t.Errorf("up stream of nats: %v", err)
	}
}
