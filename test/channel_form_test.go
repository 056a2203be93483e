package test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// channelCapacities are those at which the channel's part of a capacity differs.
var channelCapacities = []int{1, 3, 4, 5, 16, 63, 64, 100}

// settle waits until nothing moves any more.
func settle() { <-time.After(time.Second) }

// countOut sends numbers until total, and counts those that out has taken.
func countOut(total int, taken *atomic.Int64) func(context.Context, []byte, <-chan []byte, chan<- []byte) error {
	return func(ctx context.Context, _ []byte, _ <-chan []byte, out chan<- []byte) error {
		for i := range total {
			select {
			case out <- numbered(i):
				taken.Add(1)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
}

// Through channels no more is in flight to a caller that does not read than the capacity,
// and what is in the hands of the two goroutines and of Responses, one message each; and
// no less. Then all comes, in order.
func TestPromise7ChannelsHoldTheirCapacityAndNoMore(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, capacity := range channelCapacities {
			total := 3*capacity + 20
			var taken atomic.Int64
			p := n.pair(t, stream(hOwn, gridnode.StreamHandler{OutCapacity: capacity, Handle: countOut(total, &taken)}))
			st := openChannels(t, t.Context(), p.conn, hOwn, nil)
			settle()
			if got := int(taken.Load()); got < capacity || got > capacity+3 {
				t.Errorf("capacity %d: %d in flight", capacity, got)
			}
			next := 0
			if err := st.Results(func(msg []byte) error {
				if string(msg) != string(numbered(next)) {
					return fmt.Errorf("message %d is %q", next, msg)
				}
				if next++; next%7 == 0 {
					settle() // a reader that stops and goes
				}
				return nil
			}); err != nil || next != total {
				t.Errorf("capacity %d: %d of %d, %v", capacity, next, total, err)
			}
		}
	})
}

// The same in the other direction.
func TestPromise7HandlersChannelsHoldTheirCapacityAndNoMore(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, capacity := range channelCapacities {
			total := 3*capacity + 20
			read := make(chan struct{})
			p := n.pair(t, stream(hOwn, gridnode.StreamHandler{InCapacity: capacity, Handle: func(_ context.Context, _ []byte, in <-chan []byte, _ chan<- []byte) error {
				<-read
				next := 0
				for msg := range in {
					if string(msg) != string(numbered(next)) {
						return fmt.Errorf("message %d is %q", next, msg)
					}
					if next++; next%7 == 0 {
						settle()
					}
				}
				if next != total {
					return fmt.Errorf("%d of %d", next, total)
				}
				return nil
			}}))
			st := openChannels(t, t.Context(), p.conn, hOwn, nil)
			var taken atomic.Int64
			go func() { // ends with what it sends
				for i := range total {
					st.Requests <- numbered(i)
					taken.Add(1)
				}
				close(st.Requests)
			}()
			settle()
			if got := int(taken.Load()); got < capacity || got > capacity+2 {
				t.Errorf("capacity %d: %d in flight", capacity, got)
			}
			close(read)
			if err := st.Results(func([]byte) error { return nil }); err != nil {
				t.Errorf("capacity %d: %v", capacity, err)
			}
		}
	})
}

// Who cancels with some or many responses unread reads the cancellation next, and no
// more of them.
func TestPromise4ACancelledChannelHoldsNothingOld(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, capacity := range channelCapacities {
			for _, total := range []int{1, 3, 10, 1000} {
				var taken atomic.Int64
				p := n.pair(t, stream(hOwn, gridnode.StreamHandler{OutCapacity: capacity, Handle: func(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
					if err := countOut(total, &taken)(ctx, nil, in, out); err != nil {
						return err
					}
					<-ctx.Done()
					return ctx.Err()
				}}))
				ctx, cancel := context.WithCancel(background)
				st := openChannels(t, ctx, p.conn, hOwn, nil)
				settle()
				cancel()
				settle()
				if r := <-st.Responses; !errors.Is(r.Err, context.Canceled) {
					t.Errorf("capacity %d, %d sent: after the cancellation comes %q, %v", capacity, total, r.Msg, r.Err)
				}
				if r, ok := <-st.Responses; ok {
					t.Errorf("capacity %d, %d sent: then %q, %v", capacity, total, r.Msg, r.Err)
				}
			}
		}
	})
}

// What had arrived when the connection was lost, or the handler failed, is read before
// the error, and the error once.
func TestPromise2ChannelsDeliverWhatCameBeforeTheEnd(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		broken := errors.New("broken")
		for _, capacity := range channelCapacities {
			for _, loss := range []bool{false, true} {
				p := n.pair(t, stream(hOwn, gridnode.StreamHandler{OutCapacity: capacity, Handle: func(ctx context.Context, _ []byte, _ <-chan []byte, out chan<- []byte) error {
					for i := range capacity {
						out <- numbered(i)
					}
					if loss {
						<-ctx.Done()
					}
					return broken
				}}))
				st := openChannels(t, t.Context(), p.conn, hOwn, nil)
				settle()
				if loss {
					p.link().Cut()
					settle()
				}
				for i := range capacity {
					if r := <-st.Responses; string(r.Msg) != string(numbered(i)) || r.Err != nil {
						t.Fatalf("capacity %d, loss %v: message %d is %q, %v", capacity, loss, i, r.Msg, r.Err)
					}
				}
				if r := <-st.Responses; r.Err == nil || errors.Is(r.Err, gridnode.ErrDisconnected) != loss {
					t.Errorf("capacity %d, loss %v: ends with %q, %v", capacity, loss, r.Msg, r.Err)
				}
				if _, ok := <-st.Responses; ok {
					t.Error("something comes after the error")
				}
				if err := st.Results(nil); err == nil {
					t.Error("Results afterwards has no error")
				}
			}
		}
	})
}
