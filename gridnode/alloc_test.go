//go:build !race

package gridnode_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// allocsPerRun is testing.AllocsPerRun without its GOMAXPROCS(1), rounded to one
// decimal: what the timers of the runtime allocate now and then is not the call's.
func allocsPerRun(runs int, f func()) float64 {
	for range runs / 10 {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs-before.Mallocs)*10/uint64(runs)) / 10
}

// A single costs the copy of the request and the state of its handler on the serving
// side, and the copy of the response on the calling side.
func TestASingleAllocatesThreeTimesBothSidesTogether(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	conn := nodes[0].Connection(nodes[1].Local())
	withDone, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancellable": withDone} {
		for _, size := range []int{1, 512, 4096} {
			req := make([]byte, size)
			var failed error
			n := allocsPerRun(5000, func() {
				_, err := conn.Request(ctx, hEcho, req)
				failed = errors.Join(failed, err)
			})
			if failed != nil || n > 3.2 {
				t.Errorf("%s, %d bytes: %v allocations, %v", name, size, n, failed)
			}
		}
	}
}

// A typed single costs its three values, with a string in each of them but the one that
// the handler makes, and the state of its handler.
func TestATypedSingleAllocatesSixTimesBothSidesTogether(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	conn := nodes[0].Connection(nodes[1].Local())
	ctx := context.Background()
	req := &Reserve{Item: string(make([]byte, 512)), Count: 1}
	for name, to := range map[string]gridnode.Target{"connection": conn, "subroute": conn.Subroute("shop").Subroute("a")} {
		var failed error
		n := allocsPerRun(5000, func() {
			_, err := typedSingle.Call(ctx, to, req)
			failed = errors.Join(failed, err)
		})
		if failed != nil || n > 6.2 {
			t.Errorf("%s: %v allocations, %v", name, n, failed)
		}
	}
}

func TestAStreamMessageAllocatesItsCopyOnly(t *testing.T) {
	nodes := grid(t, 2, registerAll)
	ctx := context.Background()
	st, err := nodes[0].Connection(nodes[1].Local()).OpenMux(ctx, hMux, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cancel(nil)
	if _, err := st.Recv(ctx); err != nil { // the payload comes first
		t.Fatal(err)
	}
	msg := make([]byte, 512)
	var failed error
	n := allocsPerRun(5000, func() { // there and back: two messages
		err := st.Send(ctx, msg)
		if err == nil {
			_, err = st.Recv(ctx)
		}
		failed = errors.Join(failed, err)
	})
	if failed != nil || n > 2.2 {
		t.Errorf("%v allocations there and back, %v", n, failed)
	}
}

// What is recycled is not allocated: a single costs the state of its handler then, and
// a message of a stream nothing.
func TestRecycledMessagesAreNotAllocated(t *testing.T) {
	const hLent, hBack = 90, 91
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		registerAll(m)
		_ = m.RegisterSingleLending(hLent, func(_ context.Context, req []byte) ([]byte, error) { return req, nil })
		_ = m.RegisterMux(hBack, gridnode.MuxHandler{InCapacity: 8, OutCapacity: 8, Handle: sendBack})
	})
	ctx := context.Background()
	conn := nodes[0].Connection(nodes[1].Local())
	st, err := conn.OpenMux(ctx, hBack, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cancel(nil)
	for size, sends := range map[int]float64{64: 0, 600: 0, 4096: 0, 64 << 10: 2} { // large sends may have to wait
		msg := make([]byte, size)
		var failed error
		single := allocsPerRun(3000, func() {
			resp, err := conn.Request(ctx, hLent, msg)
			failed = errors.Join(failed, err)
			gridnode.Recycle(resp)
		})
		stream := allocsPerRun(3000, func() {
			err := st.Send(ctx, msg)
			failed = errors.Join(failed, err)
			back, err := st.Recv(ctx)
			failed = errors.Join(failed, err)
			gridnode.Recycle(back)
		})
		if failed != nil || single > 1.4 || stream > sends+0.4 { // batches grow, now and then
			t.Errorf("%d bytes: %v allocations for a single, %v there and back by a stream, %v", size, single, stream, failed)
		}
	}
}

// A single to an inline handler costs the copy of its response, and nothing if that is
// given back.
func TestAnInlineSingleAllocatesItsResponseOnly(t *testing.T) {
	const hInline = 92
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		_ = m.RegisterSingleInline(hInline, func(_ context.Context, req []byte) ([]byte, error) { return req, nil })
	})
	ctx := context.Background()
	conn := nodes[0].Connection(nodes[1].Local())
	for name, done := range map[string]func([]byte){"kept": func([]byte) {}, "recycled": gridnode.Recycle} {
		for _, size := range []int{64, 512, 4096} {
			req := make([]byte, size)
			var failed error
			n := allocsPerRun(5000, func() {
				resp, err := conn.Request(ctx, hInline, req)
				failed = errors.Join(failed, err)
				done(resp)
			})
			most := 1.2
			if name == "recycled" {
				most = 0.2
			}
			if failed != nil || n > most {
				t.Errorf("%s, %d bytes: %v allocations, %v", name, size, n, failed)
			}
		}
	}
}

// sendBack is an echo that recycles.
func sendBack(ctx context.Context, st *gridnode.MuxServer) error {
	for {
		msg, err := st.Recv(ctx)
		if err != nil {
			return nil
		}
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
		gridnode.Recycle(msg)
	}
}
