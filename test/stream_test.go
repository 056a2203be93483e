package test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// E1, streams: a stream that loses its link ends with an error at the caller, and the
// handler's context is cancelled with it.
func TestALostLinkEndsAStreamAtBothSides(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		entered, left := make(chan struct{}, 2), make(chan error, 2)
		wait := func(ctx context.Context) error {
			entered <- struct{}{}
			<-ctx.Done()
			left <- context.Cause(ctx)
			return nil // which must not look like a clean end
		}
		p := n.pair(t,
			mux(hOwn, gridnode.MuxHandler{Handle: func(ctx context.Context, _ *gridnode.MuxServer) error { return wait(ctx) }}),
			stream(hOwn2, gridnode.StreamHandler{InCapacity: 1, Handle: func(ctx context.Context, _ []byte, _ <-chan []byte, _ chan<- []byte) error {
				return wait(ctx)
			}}),
		)
		st := open(t, p.conn, hOwn, nil)
		ch := openChannels(t, background, p.conn, hOwn2, nil)
		receive(t, "the first handler runs", entered)
		receive(t, "the second handler runs", entered)
		start := time.Now()
		p.link().Cut()
		_, err := st.Recv(background)
		wantIs(t, err, gridnode.ErrDisconnected)
		wantIs(t, ch.Results(func([]byte) error { return nil }), gridnode.ErrDisconnected)
		for range 2 {
			wantIs(t, receive(t, "the handlers return", left), gridnode.ErrDisconnected)
		}
		n.wantWithin(t, "the end of both sides", start, 0)
		p.serves(t)
		close(ch.Requests)
	})
}

// E8: two-way echo in ten rounds, the caller closes its requests, then a clean end.
func TestTwoWayEchoInTenRounds(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		wantMuxEcho(t, p.conn, hEchoMux, 10)
		wantMuxEcho(t, p.conn, hEchoStream, 10)
		st := openChannels(t, background, p.conn, hEchoStream, nil)
		for i := range 10 {
			st.Requests <- numbered(i)
			if r := <-st.Responses; r.Err != nil || !isNumber(r.Msg, i) {
				t.Fatalf("round %d: %v", i, r)
			}
		}
		close(st.Requests)
		if r, ok := <-st.Responses; ok {
			t.Errorf("after the end: %v", r)
		}
	})
}

// Messages of all sizes arrive in order and whole, large ones in fragments between
// those of other streams.
func TestStreamsKeepMessagesOfAllSizesWhole(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		sizes := []int{0, 1, 4096, 4097, 65536, 65537, 300_000}
		var streams sync.WaitGroup
		for k := range 4 {
			streams.Go(func() {
				st, err := p.conn.OpenMux(t.Context(), hEchoMux, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for i, size := range sizes {
					msg := make([]byte, size)
					for j := range msg {
						msg[j] = byte(i + k + j)
					}
					if err := st.Send(t.Context(), msg); err != nil {
						t.Error(err)
					}
					got, err := st.Recv(t.Context())
					if err != nil || string(got) != string(msg) {
						t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
					}
				}
				st.Cancel(nil)
			})
		}
		streams.Wait()
	})
}

// W3: what a handler sent before it failed arrives, in order, and then the error.
func TestItemsBeforeAnErrorArriveBeforeIt(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{OutCapacity: 10, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for i := range 5 {
				if err := st.Send(ctx, numbered(i)); err != nil {
					return err
				}
			}
			return errors.New("after five")
		}}))
		for range 200 / underRace {
			st := open(t, p.conn, hOwn, nil)
			for i := range 5 {
				if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, i) {
					t.Fatalf("message %d: %v, %v", i, msg, err)
				}
			}
			for range 2 { // the end stays the end
				var e *gridnode.Error
				if _, err := st.Recv(t.Context()); !errors.As(err, &e) || e.Message != "after five" || !e.Remote {
					t.Fatalf("the end is %v", err)
				}
			}
		}
	})
}

// W2: the window is what the serving side announced, so a caller of another version,
// which would have registered another capacity, loses nothing.
func TestCapacitiesThatDifferBetweenNodesTruncateNothing(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		for _, capacity := range [][2]int{{1, 10}, {10, 1}, {1, 100}} {
			own := func(out int) gridnode.MuxHandler {
				return gridnode.MuxHandler{InCapacity: out, OutCapacity: out, Handle: echoMux}
			}
			p := n.pair(t,
				onlyOn(n.caller, func(m *gridnode.Manager) error { return m.RegisterMux(hOwn, own(capacity[0])) }),
				onlyOn(n.handlers, func(m *gridnode.Manager) error { return m.RegisterMux(hOwn, own(capacity[1])) }),
			)
			st := open(t, p.conn, hOwn, nil)
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range 200 {
					if err := st.Send(t.Context(), numbered(i)); err != nil {
						t.Errorf("capacities %v: send %d: %v", capacity, i, err)
						return
					}
				}
				st.CloseSend()
			})
			wantNumbers(t, st, 200)
			sending.Wait()
		}
	})
}

// Half-close: after CloseSend the handler reads what is queued, then the end, and may
// go on sending.
func TestTheHandlerSpeaksOnAfterTheCallersEnd(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, stream(hOwn, gridnode.StreamHandler{InCapacity: 8, Handle: func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
			var all []byte
			for msg := range in {
				all = append(all, msg...)
			}
			for range 3 {
				out <- append(payload, all...)
			}
			return nil
		}}))
		st := open(t, p.conn, hOwn, []byte(">"))
		for i := range 5 {
			if err := st.Send(t.Context(), fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := st.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := st.Send(t.Context(), []byte("more")); err == nil {
			t.Error("Send after CloseSend worked")
		}
		got := 0
		for msg, err := range st.All(t.Context()) {
			if err != nil || string(msg) != ">01234" {
				t.Fatalf("%q, %v", msg, err)
			}
			got++
		}
		if got != 3 {
			t.Errorf("%d messages, want 3", got)
		}
	})
}

// E17 and the handler's half: a handler that takes no input has no way in.
func TestAHandlerWithoutInputHasNone(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		closed := make(chan bool, 1)
		p := n.pair(t, stream(hOwn, gridnode.StreamHandler{Handle: func(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
			closed <- in == nil
			out <- []byte("x")
			return nil
		}}))
		st := openChannels(t, background, p.conn, hOwn, nil)
		if st.Requests != nil {
			t.Error("Requests is not nil")
		}
		if err := st.Send(t.Context(), nil); err == nil {
			t.Error("Send worked")
		}
		if !receive(t, "the handler runs", closed) {
			t.Error("the handler's in is not nil")
		}
		if err := st.Results(func([]byte) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
