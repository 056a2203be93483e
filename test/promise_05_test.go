package test

import (
	"context"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// remaining is a handler's answer: how much time it has left.
func remaining(ctx context.Context, _ []byte) ([]byte, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, nil
	}
	return numbered(int(time.Until(deadline))), nil
}

// A deadline arrives as the time that remains, for singles and streams, to the
// microsecond; nobody's clock matters, and no deadline stays none.
func TestPromise5DeadlinesTravelAsTimeRemaining(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.CallTimeout = -1 }), single(hOwn, remaining),
			mux(hOwn2, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				left, _ := remaining(ctx, nil)
				return st.Send(ctx, left)
			}}))
		stream := func(ctx context.Context) ([]byte, error) {
			st, err := p.conn.OpenMux(ctx, hOwn2, nil)
			if err != nil {
				return nil, err
			}
			msg, err := st.Recv(ctx)
			if err == nil {
				_, _ = st.Recv(ctx) // the clean end
			}
			return msg, err
		}
		call := func(ctx context.Context) ([]byte, error) { return p.conn.Request(ctx, hOwn, nil) }
		for kind, ask := range map[string]func(context.Context) ([]byte, error){"single": call, "stream": stream} {
			for _, given := range []time.Duration{5 * time.Second, time.Hour, 1000 * time.Hour} {
				ctx, cancel := context.WithTimeout(background, given)
				left, err := ask(ctx)
				cancel()
				if err != nil {
					t.Errorf("%s: %v", kind, err)
					continue
				}
				got := time.Duration(numberOf(left))
				if lost := given - got; lost < 0 || lost > 3*time.Second || n.virtual() && lost > time.Microsecond {
					t.Errorf("%s: %v remain of %v", kind, got, given)
				}
			}
			if left, err := ask(background); err != nil || left != nil {
				t.Errorf("%s: a deadline out of nowhere: %v, %v", kind, left, err)
			}
		}
	})
}

// The time that a call waits for room before it goes out is not the handler's any more.
func TestPromise5TimeSpentWaitingForRoomIsTakenOff(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit, cfg.Window = 64<<10, 128<<10 }), single(hOwn, remaining))
		p.link().Throttle(100_000)
		large, cancel := context.WithCancel(background)
		done := make(chan struct{})
		for range 3 {
			go func() { // ends with the call
				p.conn.Request(large, hEcho, make([]byte, 200_000))
				done <- struct{}{}
			}()
		}
		<-time.After(100 * time.Millisecond)
		ctx, stop := context.WithTimeout(background, time.Minute)
		defer stop()
		start := time.Now()
		req := make([]byte, 200_000) // its own bytes take two seconds at least
		left, err := p.conn.Request(ctx, hOwn, req)
		if err != nil {
			t.Fatal(err)
		}
		// The answer comes back at once, so what remains there remains here.
		spent, got := time.Since(start), time.Duration(numberOf(left))
		if spent < 6*time.Second {
			t.Errorf("the call took %v: the test proves nothing", spent)
		}
		// What the first fragment spends on the link comes on top: the window is 1.3 s of it,
		// the fragment itself 0.7 s, and which of the callers is first makes some difference.
		if excess := got + spent - time.Minute; excess > 3*time.Second {
			t.Errorf("after %v the handler had %v of a minute left", spent, got)
		}
		cancel()
		for range 3 {
			<-done
		}
		p.link().Throttle(0)
	})
}

// A deadline shorter than the trip ends the call in time, and its handler, which may not
// have begun, does not run on.
func TestPromise5ADeadlineShorterThanTheTrip(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		w.link().Delay(time.Second)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := w.conn.Request(ctx, hWatchSingle, nil)
		wantIs(t, err, context.DeadlineExceeded)
		n.wantWithin(t, "the call", start, 100*time.Millisecond)
		receive(t, "the handler runs", w.entered)
		w.wantLeft(t, context.DeadlineExceeded)
		n.wantWithin(t, "the handler's end", start, time.Second+100*time.Millisecond)
	})
}
