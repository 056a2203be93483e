package test

import (
	"context"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The capacity of a handler is exactly what can be in flight to it, and so is the other
// one from it.
func TestPromise7CapacityIsExactlyWhatIsInFlight(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, networks, func(t *testing.T, n *rig) {
		for _, capacity := range []int{1, 2, 3, 17, 100} {
			sent, release := make(chan int, 1), make(chan struct{})
			p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: capacity, OutCapacity: capacity, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				sent <- sendable(ctx, capacity, st.Send)
				<-release
				return nil
			}}))
			st := open(t, p.conn, hOwn, nil)
			if there := receive(t, "the handler's window is full", sent); there != capacity {
				t.Errorf("capacity %d: the handler could send %d messages", capacity, there)
			}
			if here := sendable(t.Context(), capacity, st.Send); here != capacity {
				t.Errorf("capacity %d: the caller could send %d messages", capacity, here)
			}
			close(release)
			for range capacity {
				if _, err := st.Recv(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := st.Recv(t.Context()); err == nil {
				t.Error("one message more")
			}
		}
	})
}

// sendable is how many messages can be sent before a send waits. Those that are wanted
// have as long as the machine needs; only one too many is expected to wait.
func sendable(ctx context.Context, want int, send func(context.Context, []byte) error) (n int) {
	for {
		bound := patience / 2
		if n >= want {
			bound = 50 * time.Millisecond
		}
		one, cancel := context.WithTimeout(ctx, bound)
		err := send(one, []byte("x"))
		cancel()
		if err != nil {
			return n
		}
		n++
	}
}

// A message above either side's limit is refused, the call alone, in every direction;
// what is at the limit passes.
func TestPromise7MessagesHaveALimit(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		const limit = 100_000
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.MaxMessage = limit }),
			single(hOwn, func(_ context.Context, req []byte) ([]byte, error) { return make([]byte, numberOf(req)), nil }),
			mux(hOwn2, gridnode.MuxHandler{InCapacity: 1, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				return st.Send(ctx, make([]byte, numberOf(st.Payload())))
			}}))
		at, above := make([]byte, limit), make([]byte, limit+1)
		if resp, err := p.conn.Request(t.Context(), hEcho, at); err != nil || len(resp) != limit {
			t.Errorf("at the limit: %d bytes, %v", len(resp), err)
		}
		_, err := p.conn.Request(t.Context(), hEcho, above)
		wantIs(t, err, gridnode.ErrMessageTooLarge)
		_, err = p.conn.Request(t.Context(), hOwn, number(limit+1))
		wantIs(t, err, gridnode.ErrMessageTooLarge)
		_, err = p.conn.OpenMux(t.Context(), hEchoMux, above)
		wantIs(t, err, gridnode.ErrMessageTooLarge)
		_, err = open(t, p.conn, hOwn2, number(limit+1)).Recv(t.Context())
		wantIs(t, err, gridnode.ErrMessageTooLarge)
		st := open(t, p.conn, hEchoMux, at)
		wantIs(t, st.Send(t.Context(), above), gridnode.ErrMessageTooLarge)
		if err := st.Send(t.Context(), at); err != nil {
			t.Errorf("after a message that was refused: %v", err)
		}
		if msg, err := st.Recv(t.Context()); err != nil || len(msg) != limit {
			t.Errorf("%d bytes, %v", len(msg), err)
		}
		st.Cancel(nil)
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}

// The limits of muxes, per peer and per node, and that of bytes which nobody takes, end
// the calls that exceed them, with ErrOverloaded, and no other.
func TestPromise7NothingGrowsWithoutBound(t *testing.T) {
	for name, limits := range map[string]gridnode.Config{
		"muxes per peer": {MaxMuxesPerPeer: 5},
		"muxes":          {MaxMuxes: 5},
		"receive budget": {ReceiveBudget: 5 * 1000},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryNetwork(t, func(t *testing.T, n *rig) {
				w := n.watchedWith(t, config(func(cfg *gridnode.Config) {
					cfg.MaxMuxesPerPeer, cfg.MaxMuxes, cfg.ReceiveBudget = limits.MaxMuxesPerPeer, limits.MaxMuxes, limits.ReceiveBudget
				}))
				var running []*gridnode.MuxClient
				for range 5 {
					running = append(running, open(t, w.conn, hWatchTwoWay, make([]byte, 1000)))
					receive(t, "the handler runs", w.entered)
				}
				for range 3 {
					_, err := w.conn.Request(t.Context(), hEcho, []byte("one too many"))
					wantIs(t, err, gridnode.ErrOverloaded)
					st, err := w.conn.OpenMux(t.Context(), hEchoMux, []byte("one too many"))
					if err == nil {
						_, err = st.Recv(t.Context())
					}
					wantIs(t, err, gridnode.ErrOverloaded)
				}
				running[0].Cancel(nil)
				w.wantLeft(t, context.Canceled)
				eventually(t, "there is room again", func() bool {
					_, err := w.conn.Request(t.Context(), hEcho, []byte("fits"))
					return err == nil
				})
				for _, st := range running[1:] {
					st.Cancel(nil)
					w.wantLeft(t, context.Canceled)
				}
			})
		})
	}
}
