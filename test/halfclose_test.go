package test

import (
	"context"
	"io"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// 24-05-22 4d698841f: half-close, then cancel: the handler's context is done, whether
// the handler has read the end or not.
func TestCancelAfterTheCallersEnd(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		atEnd, left := make(chan struct{}, 1), make(chan error, 2)
		p := n.pair(t, stream(hOwn, gridnode.StreamHandler{InCapacity: 1, Handle: func(ctx context.Context, _ []byte, in <-chan []byte, _ chan<- []byte) error {
			for range in {
			}
			atEnd <- struct{}{}
			<-ctx.Done()
			left <- context.Cause(ctx)
			return ctx.Err()
		}}))
		ctx, cancel := context.WithCancel(background)
		st := openChannels(t, ctx, p.conn, hOwn, nil)
		close(st.Requests)
		receive(t, "the handler sees the end", atEnd)
		cancel()
		wantLastError(t, st, context.Canceled)
		wantIs(t, receive(t, "the handler returns", left), context.Canceled)
	})
}

// 24-05-22 f00187033, W7: a caller that gives up without closing Requests leaves
// nothing behind, and a sender that comes late is not stuck.
func TestACallerThatNeverClosesItsRequestsLeaksNothing(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		for range 50 / underRace {
			ctx, cancel := context.WithCancel(background)
			st := openChannels(t, ctx, w.conn, hWatchTwoWay, nil)
			receive(t, "the handler runs", w.entered)
			cancel()
			wantLastError(t, st, context.Canceled)
			wantIs(t, st.Send(background, []byte("late")), context.Canceled)
			w.wantLeft(t, context.Canceled)
		}
	}) // goleak looks at the pumps
}

// 24-01-28 1d3bd0208, 9987ff570: the end twice, cancel after the end, the end after
// cancel, cancel before anything: no panic, and nothing changes any more.
func TestEndsAreIdempotent(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		for range 20 {
			st := open(t, p.conn, hEchoMux, nil)
			for range 3 {
				if err := st.CloseSend(); err != nil {
					t.Error(err)
				}
			}
			if _, err := st.Recv(t.Context()); err != io.EOF {
				t.Error(err)
			}
			st.Cancel(nil)
			st.Cancel(context.DeadlineExceeded)
			if _, err := st.Recv(t.Context()); err != io.EOF {
				t.Errorf("after the clean end and a cancel: %v", err)
			}

			st = open(t, p.conn, hEchoMux, nil)
			st.Cancel(nil)
			st.Cancel(io.ErrShortBuffer)
			wantIs(t, st.Send(t.Context(), nil), context.Canceled)
			wantIs(t, st.CloseSend(), context.Canceled)
			_, err := st.Recv(t.Context())
			wantIs(t, err, context.Canceled)
		}
		wantEcho(t, p.conn, "afterwards")
	})
}

// 24-02-09 8e68ff932, 24-01-28 1d3bd0208: streams and calls that are opened while the
// connection dies end with ErrDisconnected or not at all; none hangs.
func TestOpeningWhileTheConnectionDies(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, links, func(t *testing.T, n *rig) {
		p := n.pair(t, quickReturn())
		for i := range 50 / underRace {
			const opening = 8
			ends := make(chan error, 3*opening)
			for range opening {
				go func() { // ends with its call
					_, err := p.conn.Request(background, hEcho, []byte("x"))
					ends <- err
				}()
				go func() { // the same
					st, err := p.conn.OpenMux(background, hEchoMux, make([]byte, 1000*i))
					if err == nil {
						st.CloseSend()
						if _, err = st.Recv(background); err == io.EOF {
							err = nil
						}
					}
					ends <- err
				}()
				go func() { // the same
					st, err := p.conn.NewStream(background, hCount, number(5))
					if err == nil {
						err = st.Results(func([]byte) error { return nil })
					}
					ends <- err
				}()
			}
			p.link().Cut()
			for range cap(ends) {
				if err := receive(t, "the end of every call", ends); err != nil {
					wantIs(t, err, gridnode.ErrDisconnected)
				}
			}
			p.serves(t)
		}
	})
}
