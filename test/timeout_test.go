package test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// hangs runs a call against a handler that hangs and returns how long it took.
func (p *pair) hangs(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	_, err := p.conn.Request(ctx, hHang, nil)
	return time.Since(start), err
}

// A2 22: a single without a deadline ends after a minute, at both sides. The clock that
// ends it ticks once a second.
func TestASingleWithoutADeadlineEndsAfterAMinute(t *testing.T) {
	onEach(t, []network{memory, reverse, loopback}, func(t *testing.T, n *rig) {
		ended := make(chan error, 1)
		p := n.pair(t, single(hOwn, func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, ctx.Err()
		}))
		start := time.Now()
		_, err := p.conn.Request(background, hOwn, nil)
		wantIs(t, err, context.DeadlineExceeded)
		if took := time.Since(start); took < time.Minute || took > time.Minute+2*time.Second {
			t.Errorf("it took %v, want a minute", took)
		}
		wantIs(t, receive(t, "the handler's context ends", ended), context.DeadlineExceeded)
	})
}

// 24-12-12 c1a95a70a: a single that rightly takes longer than the default does so with
// WithoutTimeout, and the link is kept alive meanwhile.
func TestWithoutTimeoutASingleMayTakeAnHour(t *testing.T) {
	onEach(t, []network{memory, reverse, loopback}, func(t *testing.T, n *rig) {
		p := n.pair(t, single(hOwn, func(ctx context.Context, req []byte) ([]byte, error) {
			select {
			case <-time.After(time.Hour):
				return req, nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}))
		resp, err := p.conn.Request(gridnode.WithoutTimeout(background), hOwn, []byte("late"))
		if err != nil || string(resp) != "late" {
			t.Errorf("%q, %v", resp, err)
		}
		// A deadline of the context's own still counts.
		ctx, cancel := context.WithTimeout(gridnode.WithoutTimeout(background), time.Second)
		defer cancel()
		took, err := p.hangs(ctx)
		wantIs(t, err, context.DeadlineExceeded)
		if took != time.Second {
			t.Errorf("it took %v, want a second", took)
		}
	})
}

// Config.CallTimeout replaces the minute, or, if negative, abolishes it.
func TestCallTimeoutIsConfigurable(t *testing.T) {
	onEach(t, []network{memory, loopback}, func(t *testing.T, n *rig) {
		short := n.pair(t, config(func(cfg *gridnode.Config) { cfg.CallTimeout = 8 * time.Second }))
		took, err := short.hangs(background)
		wantIs(t, err, context.DeadlineExceeded)
		if took < 8*time.Second || took > 10*time.Second {
			t.Errorf("it took %v, want 8 s", took)
		}
		none := n.pair(t, config(func(cfg *gridnode.Config) { cfg.CallTimeout = -1 }))
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		time.AfterFunc(time.Hour, cancel)
		took, err = none.hangs(ctx)
		wantIs(t, err, context.Canceled)
		if took != time.Hour {
			t.Errorf("it took %v, want the hour until the cancellation", took)
		}
	})
}

// A2 22: streams have no default deadline.
func TestAStreamHasNoDefaultDeadline(t *testing.T) {
	onEach(t, []network{memory, reverse, loopback}, func(t *testing.T, n *rig) {
		p := n.pair(t)
		st, err := p.conn.OpenMux(background, hEchoMux, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		if err := st.Send(background, numbered(1)); err != nil {
			t.Error(err)
		}
		if msg, err := st.Recv(background); err != nil || !isNumber(msg, 1) {
			t.Errorf("%v, %v", msg, err)
		}
		st.CloseSend()
		for err == nil {
			_, err = st.Recv(background)
		}
	})
}

// A call under a context that has ended already does not go out.
func TestACallUnderAnEndedContextIsNotSent(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		ran := make(chan struct{}, 10)
		p := n.pair(t,
			single(hOwn, func(context.Context, []byte) ([]byte, error) { ran <- struct{}{}; return nil, nil }),
			mux(hOwn2, gridnode.MuxHandler{Handle: func(context.Context, *gridnode.MuxServer) error { ran <- struct{}{}; return nil }}),
		)
		gone := errors.New("gone")
		cancelled, cancel := context.WithCancelCause(background)
		cancel(gone)
		expired, stop := context.WithTimeout(background, -time.Second)
		defer stop()
		for ctx, want := range map[context.Context]error{cancelled: gone, expired: context.DeadlineExceeded} {
			_, err := p.conn.Request(ctx, hOwn, nil)
			wantIs(t, err, want)
			_, err = p.conn.OpenMux(ctx, hOwn2, nil)
			wantIs(t, err, want)
			_, err = p.conn.NewStream(ctx, hOwn2, nil)
			wantIs(t, err, want)
		}
		wantEcho(t, p.conn, "what was sent before has arrived")
		if len(ran) > 0 {
			t.Errorf("%d handlers ran", len(ran))
		}
	})
}

// CallTimeout is for the whole call: also for what waits until the request can be sent,
// on a link that moves too slowly for it.
func TestCallTimeoutCoversTheSending(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.CallTimeout, cfg.QueueLimit = 4*time.Second, 64<<10 }))
		p.link().Throttle(20_000)
		var calls sync.WaitGroup
		for _, size := range []int{2 << 20, 60_000, 1 << 20, 10_000} {
			for range 10 {
				calls.Go(func() { p.wantTimeout(t, size) })
			}
		}
		for range 500 {
			calls.Go(func() { p.wantTimeout(t, 4000) })
		}
		calls.Wait()
		p.link().Throttle(0)
	})
}

// wantTimeout calls with a request of that size, and without a deadline; it may also
// succeed in time.
func (p *pair) wantTimeout(t *testing.T, size int) {
	start := time.Now()
	_, err := p.conn.Request(background, hEcho, make([]byte, size))
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("%d bytes: it took %v, %v", size, took, err)
	}
	if err != nil {
		wantIs(t, err, context.DeadlineExceeded)
	}
}
