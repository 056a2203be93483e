package gridnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// Nodes whose limits differ agree on the lower one, call by call, in both directions.
func TestNodesWithDifferentLimitsAgreeOnTheLower(t *testing.T) {
	const low, high = 200 << 10, 2 << 20
	onAll(t, func(t *testing.T, v *victim) {
		for from := range 2 {
			conn := v.Conn(from, 1-from)
			req := bytes.Repeat([]byte("x"), low)
			if resp, err := conn.Request(t.Context(), hEcho, req); err != nil || !bytes.Equal(resp, req) {
				t.Errorf("from node %d: %d bytes, %v", from, len(resp), err)
			}
			if _, err := conn.Request(t.Context(), hEcho, append(req, 'x')); !errors.Is(err, gridnode.ErrMessageTooLarge) {
				t.Errorf("from node %d, one too much: %v", from, err)
			}
			st, err := conn.OpenMux(t.Context(), hMux, req)
			if err != nil {
				t.Fatal(err)
			}
			if err := st.Send(t.Context(), append(req, 'x')); !errors.Is(err, gridnode.ErrMessageTooLarge) {
				t.Errorf("from node %d, one too much on a stream: %v", from, err)
			}
			st.CloseSend()
			if n := count(t, st); n != 1 {
				t.Errorf("from node %d: %d messages", from, n)
			}
		}
	}, gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		cfg.MaxMessage, cfg.Window = []int{low, high}[i], []int{4 << 20, 128 << 10}[i]
	}))
}

func count(t *testing.T, st *gridnode.MuxClient) (n int) {
	t.Helper()
	for _, err := range st.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// A response that is larger than the caller takes is its own error, not a truncation.
func TestAResponseBeyondTheCallersLimitIsAnError(t *testing.T) {
	const hLarge = 201
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.upgraded(t)
		p.hello(func(h *frames.Hello) { h.MaxMessage = 1000 })
		p.accepted()
		p.send(p.request(1, hLarge, nil), p.open(3, hLarge+1, 5))
		for mux, f := range p.wantAll(frames.OpStatus, 2) {
			if f.Code != frames.CodeMessageTooLarge {
				t.Errorf("mux %d: %v", mux, show(f))
			}
		}
		v.idle(t, p.name)
	}, gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
		large := make([]byte, 1001)
		return errors.Join(
			m.RegisterSingle(hLarge, func(context.Context, []byte) ([]byte, error) { return large, nil }),
			m.RegisterMux(hLarge+1, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error { return st.Send(ctx, large) }}),
		)
	}))
}

// The capacities that count are the serving side's: a node that registered the same
// handler with others is neither truncated nor cut off.
func TestMismatchedCapacitiesTruncateNothing(t *testing.T) {
	const hEchoes, messages = 202, 200
	onAll(t, func(t *testing.T, v *victim) {
		for from := range 2 {
			st, err := v.Conn(from, 1-from).OpenMux(t.Context(), hEchoes, nil)
			if err != nil {
				t.Fatal(err)
			}
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range messages {
					if err := st.Send(t.Context(), fmt.Append(nil, i)); err != nil {
						t.Error(err)
						return
					}
				}
				st.CloseSend()
			})
			n := 0
			for msg, err := range st.All(t.Context()) {
				if err != nil || string(msg) != fmt.Sprint(n) {
					t.Fatalf("message %d: %q, %v", n, msg, err)
				}
				n++
			}
			sending.Wait()
			if n != messages {
				t.Errorf("%d of %d", n, messages)
			}
		}
	}, gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
		return m.RegisterMux(hEchoes, gridnode.MuxHandler{
			InCapacity: []int{1, 50}[i], OutCapacity: []int{17, 2}[i],
			Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				for msg, err := range st.All(ctx) {
					if err != nil {
						return err
					}
					if err := st.Send(ctx, msg); err != nil {
						return err
					}
				}
				return nil
			},
		})
	}))
}
