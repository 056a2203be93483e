package test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// watched is a pair whose handlers tell when they run and with what cause their
// context ends, and do nothing else: they never receive, nor send.
type watched struct {
	*pair
	entered chan struct{}
	left    chan error
}

// The handlers of a watched pair.
const (
	hWatchSingle = hOwn
	hWatchOneWay = hOwn2 // no input
	hWatchTwoWay = hOwn3 // input, window 1
)

func (n *rig) watched(t *testing.T) *watched { return n.watchedWith(t) }

func (n *rig) watchedWith(t *testing.T, opts ...gridtest.Option) *watched {
	w := &watched{entered: make(chan struct{}, 10), left: make(chan error, 10)}
	wait := func(ctx context.Context) error {
		w.entered <- struct{}{}
		<-ctx.Done()
		w.left <- context.Cause(ctx)
		return ctx.Err()
	}
	handle := func(ctx context.Context, _ []byte, _ <-chan []byte, _ chan<- []byte) error { return wait(ctx) }
	w.pair = n.pair(t, append(opts,
		single(hWatchSingle, func(ctx context.Context, _ []byte) ([]byte, error) { return nil, wait(ctx) }),
		stream(hWatchOneWay, gridnode.StreamHandler{Handle: handle}),
		stream(hWatchTwoWay, gridnode.StreamHandler{Handle: handle, InCapacity: 1}),
	)...)
	return w
}

// wantLeft checks what the handler's context ended with.
func (w *watched) wantLeft(t *testing.T, target error) {
	t.Helper()
	wantIs(t, receive(t, "the end of the handler's context", w.left), target)
}

// ran reports whether the handler of a call that has ended had begun, on a machine that
// may have paused before: what the call has sent arrives before a call after it.
func (w *watched) ran(t *testing.T) bool {
	t.Helper()
	w.serves(t)
	w.wantIdle(t)
	select {
	case <-w.entered:
		return true
	default:
		return false
	}
}

// wantLastError reads a stream to its end and checks that it came with one error,
// once, and that the channel is closed then.
func wantLastError(t *testing.T, st *gridnode.Stream, target error) {
	t.Helper()
	r := receive(t, "the end of the stream", st.Responses)
	wantIs(t, r.Err, target)
	if r, ok := <-st.Responses; ok {
		t.Errorf("after the end: %v", r)
	}
}

// E9: cancelling a single.
func TestCancelEndsASingle(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		ctx, cancel := context.WithCancel(background)
		ended := make(chan error, 1)
		go func() { // ends with the call
			_, err := w.conn.Request(ctx, hWatchSingle, nil)
			ended <- err
		}()
		receive(t, "the handler runs", w.entered)
		cancel()
		wantIs(t, receive(t, "the end of the call", ended), context.Canceled)
		w.wantLeft(t, context.Canceled)
	})
}

// E9: cancelling a stream: one-way, two-way and idle, two-way with its input full.
func TestCancelEndsAStream(t *testing.T) {
	full := func(t *testing.T, w *watched, st *gridnode.Stream) {
		// One message is in the window, one in the channel's pump.
		st.Requests <- []byte("in flight")
		st.Requests <- []byte("waiting")
	}
	for name, c := range map[string]struct {
		handler gridnode.HandlerID
		prepare func(*testing.T, *watched, *gridnode.Stream)
	}{
		"one way":           {hWatchOneWay, nil},
		"two ways, idle":    {hWatchTwoWay, nil},
		"two ways and full": {hWatchTwoWay, full},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryNetwork(t, func(t *testing.T, n *rig) {
				w := n.watched(t)
				ctx, cancel := context.WithCancel(background)
				st := openChannels(t, ctx, w.conn, c.handler, nil)
				receive(t, "the handler runs", w.entered)
				if c.prepare != nil {
					c.prepare(t, w, st)
				}
				cancel()
				wantLastError(t, st, context.Canceled)
				w.wantLeft(t, context.Canceled)
			})
		})
	}
}

// E10: a deadline ends both sides, of singles and streams with and without input.
func TestADeadlineEndsBothSides(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, networks, func(t *testing.T, n *rig) {
		w := n.watched(t)
		for _, h := range []gridnode.HandlerID{hWatchSingle, hWatchOneWay, hWatchTwoWay} {
			n.untilUnderWay(t, 50*time.Millisecond, func(deadline time.Duration) bool {
				start := time.Now()
				w.wantDeadline(t, h, deadline)
				n.wantWithin(t, "the end at the caller", start, deadline)
				if !w.ran(t) {
					return false
				}
				w.wantLeft(t, context.DeadlineExceeded)
				return true
			})
		}
	})
}

// wantDeadline makes a call that ends with its deadline.
func (w *watched) wantDeadline(t *testing.T, h gridnode.HandlerID, deadline time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, deadline)
	defer cancel()
	if h == hWatchSingle {
		_, err := w.conn.Request(ctx, h, nil)
		wantIs(t, err, context.DeadlineExceeded)
		return
	}
	st, err := w.conn.NewStream(ctx, h, nil)
	if err != nil {
		wantIs(t, err, context.DeadlineExceeded)
		return
	}
	wantLastError(t, st, context.DeadlineExceeded)
}

// The cause that the caller gives is what it gets back, and its text arrives at the
// handler.
func TestTheCauseOfACancellationIsTheCallersError(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		reason := errors.New("user went away")
		ctx, cancel := context.WithCancelCause(background)
		st := open(t, w.conn, hWatchTwoWay, nil)
		receive(t, "the handler runs", w.entered)
		st.Cancel(reason)
		_, err := st.Recv(t.Context())
		wantIs(t, err, reason)
		wantIs(t, st.Send(t.Context(), nil), reason)
		receive(t, "the handler returns", w.left)

		ch := openChannels(t, ctx, w.conn, hWatchOneWay, nil)
		receive(t, "the handler runs", w.entered)
		cancel(reason)
		err = ch.Results(func([]byte) error { return nil })
		wantIs(t, err, reason)
		wantIs(t, err, context.Canceled)
		if cause := receive(t, "the handler returns", w.left); cause.Error() != "remote: user went away" {
			t.Errorf("the handler's cause is %q", cause)
		}
	})
}

// E14, 24-02-08 7ec43bd17: the caller is blocked in its own callback and the channel
// is full; cancelling still ends the handler and the stream, and what the callback's
// loop reads next is the cancellation. Another stream does not notice.
func TestCancelWhileTheConsumerIsBlocked(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		left := make(chan error, 1)
		p := n.pair(t, stream(hOwn, gridnode.StreamHandler{OutCapacity: 2, Handle: func(ctx context.Context, _ []byte, _ <-chan []byte, out chan<- []byte) error {
			for {
				select {
				case out <- []byte("item"):
				case <-ctx.Done():
					left <- context.Cause(ctx)
					return ctx.Err()
				}
			}
		}}))
		ctx, cancel := context.WithCancel(background)
		st := openChannels(t, ctx, p.conn, hOwn, nil)
		blocked, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() { // ends with the stream
			first := true
			ended <- st.Results(func([]byte) error {
				if first {
					first = false
					close(blocked)
					<-release
				}
				return nil
			})
		}()
		receive(t, "the first item", blocked)
		wantMuxEcho(t, p.conn, hEchoMux, 5)
		cancel()
		wantIs(t, receive(t, "the handler's end", left), context.Canceled)
		eventually(t, "the stream is gone at the caller", func() bool { return p.conn.Stats().Streams == 0 })
		wantMuxEcho(t, p.conn, hEchoMux, 5)
		close(release)
		wantIs(t, receive(t, "the end of Results", ended), context.Canceled)
	})
}

// An error of Results' callback ends the stream with it, at both sides.
func TestAnErrorOfTheCallbackCancelsTheStream(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		left := make(chan error, 1)
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for {
				if err := st.Send(ctx, []byte("item")); err != nil {
					left <- context.Cause(ctx)
					return err
				}
			}
		}}))
		enough := errors.New("enough")
		st := openChannels(t, background, p.conn, hOwn, nil)
		wantIs(t, st.Results(func([]byte) error { return enough }), enough)
		if cause := receive(t, "the handler's end", left); cause == nil || cause.Error() != "remote: enough" {
			t.Errorf("the handler's cause is %v", cause)
		}
	})
}

// PR 19241: cancel while the handler is in the middle of sending, again and again.
func TestCancelWhileTheHandlerIsSending(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		for i := range 200 / underRace {
			ctx, cancel := context.WithCancel(background)
			st, err := p.conn.OpenMux(ctx, hCount, number(1<<40))
			if err != nil {
				t.Fatal(err)
			}
			for k := range i % 7 {
				if msg, err := st.Recv(background); err != nil || !isNumber(msg, k) {
					t.Fatalf("message %d: %v, %v", k, msg, err)
				}
			}
			cancel()
			for err == nil {
				_, err = st.Recv(background)
			}
			wantIs(t, err, context.Canceled)
		}
	})
}
