package test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// E11: the handler sends a hundred items through a window of one, and nobody reads:
// a hundred calls pass; afterwards all items arrive, in order.
func TestCallsPassAStreamThatNobodyReads(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{OutCapacity: 1, Handle: countMux}))
		st := open(t, p.conn, hOwn, number(100))
		for range 100 {
			wantEcho(t, p.conn, "passes")
		}
		wantNumbers(t, st, 100)
	})
}

// E12: the handler does not read, the caller sends a hundred items through a window of
// five: calls pass; afterwards all hundred echoes arrive, in order.
func TestCallsPassAStreamWhoseHandlerDoesNotRead(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 5, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			<-release
			return echoMux(ctx, st)
		}}))
		st := open(t, p.conn, hOwn, nil)
		var sending sync.WaitGroup
		sending.Go(func() {
			for i := range 100 {
				if err := st.Send(t.Context(), numbered(i)); err != nil {
					t.Errorf("send %d: %v", i, err)
				}
			}
			st.CloseSend()
		})
		for range 100 {
			wantEcho(t, p.conn, "passes")
		}
		close(release)
		wantNumbers(t, st, 100)
		sending.Wait()
	})
}

// E16, 24-05-15 6d3e0c7db: a healthy stream that is blocked, in whichever direction,
// or idle, outlives ten ping intervals and more; it ends only when it is cancelled.
func TestABlockedStreamOutlivesManyPings(t *testing.T) {
	for _, c := range []struct {
		name           string
		receives, ends bool // the caller's window is full; the handler's is
	}{{"idle", false, false}, {"responses full", true, false}, {"requests full", false, true}, {"both full", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they only wait
			atOnce(t, networks, func(t *testing.T, n *rig) {
				ping, wait := 50*time.Millisecond, time.Second
				if !n.virtual() { // a peer is given up after four pings: longer than a processor pauses by itself
					ping, wait = 150*time.Millisecond, 1500*time.Millisecond
				}
				left := make(chan error, 1)
				p := n.pair(t, pings(ping), mux(hOwn, gridnode.MuxHandler{InCapacity: 1, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
					var err error
					for c.receives && err == nil {
						err = st.Send(ctx, []byte("item"))
					}
					<-ctx.Done()
					left <- context.Cause(ctx)
					return ctx.Err()
				}}))
				ctx, cancel := context.WithCancel(background)
				st, err := p.conn.OpenMux(ctx, hOwn, nil)
				if err != nil {
					t.Fatal(err)
				}
				sent := make(chan error, 1)
				go func() { // ends when the stream does
					var err error
					for c.ends && err == nil {
						err = st.Send(background, []byte("item"))
					}
					sent <- err
				}()
				select {
				case <-left:
					t.Fatalf("the stream ended by itself: %v; %v", p.conn.Err(), p.back.Err())
				case <-time.After(wait):
				}
				cancel()
				if err := receive(t, "the sender returns", sent); c.ends {
					wantIs(t, err, context.Canceled)
				}
				wantIs(t, receive(t, "the handler returns", left), context.Canceled)
				for err = nil; err == nil; {
					_, err = st.Recv(background)
				}
				wantIs(t, err, context.Canceled)
				if n := p.conn.Stats().Sessions; n != 1 {
					t.Errorf("%d sessions, want the first still", n)
				}
			})
		})
	}
}

// A Send that waits for the window ends with its own context; the message is not sent
// and the stream goes on.
func TestASendThatWaitsEndsWithItsContext(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 2, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			<-release
			return echoMux(ctx, st)
		}}))
		st := open(t, p.conn, hOwn, nil)
		for i := range 2 {
			if err := st.Send(t.Context(), numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
		defer cancel()
		err := st.Send(ctx, numbered(99))
		wantIs(t, err, context.DeadlineExceeded)
		ctx, cancelNow := context.WithCancelCause(background)
		gone := errors.New("gone")
		cancelNow(gone)
		wantIs(t, st.Send(ctx, numbered(99)), gone)
		close(release)
		for i := range 2 {
			if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, i) {
				t.Fatalf("message %d: %v, %v", i, msg, err)
			}
		}
		if err := st.Send(t.Context(), numbered(2)); err != nil {
			t.Fatal(err)
		}
		st.CloseSend()
		if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, 2) {
			t.Fatalf("message 2: %v, %v", msg, err)
		}
		if _, err := st.Recv(t.Context()); err == nil {
			t.Error("a fourth message")
		}
	})
}
