package test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// Cancelling returns at once and is at the handler one trip later, for singles and
// streams, though every queue for data is full: the stream's windows both ways, the
// window of large payloads and the queue of the connection.
func TestPromise4CancelReachesTheHandlerPastFullQueues(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		const trip = 40 * time.Millisecond
		w := n.watchedWith(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit, cfg.Window = 64<<10, 128<<10 }))
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		ends := make(chan error, 1)
		go func() { // ends with the call
			_, err := w.conn.Request(ctx, hWatchSingle, nil)
			ends <- err
		}()
		two := openChannels(t, ctx, w.conn, hWatchTwoWay, nil)
		for range 2 {
			receive(t, "the handlers run", w.entered)
		}
		others, stop := context.WithCancel(background)
		fill := w.fill(others)
		eventually(t, "the windows are full", func() bool {
			const full = 3 * 16 * 4 << 10
			return w.conn.Stats().HeldBytes >= full && w.back.Stats().HeldBytes >= full
		})
		w.steady(t)
		w.link().Delay(trip)
		start := time.Now()
		cancel()
		wantIs(t, receive(t, "the call ends", ends), context.Canceled)
		wantLastError(t, two, context.Canceled)
		n.wantWithin(t, "the end at the caller", start, 0)
		for range 2 {
			w.wantLeft(t, context.Canceled)
		}
		n.wantWithin(t, "the end at the handlers", start, trip)
		if took := time.Since(start); took < trip {
			t.Errorf("it took %v over a link of %v: the test proves nothing", took, trip)
		}
		w.link().Delay(0)
		stop()
		fill.Wait()
	})
}

// fill keeps streams full in both directions until ctx ends: nobody reads what comes
// back from the handlers, so these stop reading too.
func (w *watched) fill(ctx context.Context) *sync.WaitGroup {
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			st, err := w.conn.OpenMux(ctx, hEchoMux, nil)
			for err == nil { // nobody receives what comes back
				err = st.Send(ctx, make([]byte, 4<<10))
			}
		})
	}
	return &all
}

// The poison overtakes a full mailbox: a handler that has not read any of what waits for
// it is cancelled, and what waits is not delivered any more.
func TestPromise4CancelOvertakesAFullMailbox(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		entered, got := make(chan struct{}, 1), make(chan error, 1)
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 3, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			entered <- struct{}{}
			<-ctx.Done()
			_, err := st.Recv(ctx)
			got <- err
			return err
		}}))
		st := open(t, p.conn, hOwn, nil)
		receive(t, "the handler runs", entered)
		for range 3 {
			if err := st.Send(t.Context(), []byte("waits")); err != nil {
				t.Fatal(err)
			}
		}
		st.Cancel(nil)
		wantIs(t, receive(t, "the handler reads", got), context.Canceled)
	})
}
