package test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// A handler may keep its context: after its return, and whether or not anybody has
// watched it before, the context has ended, once and for all, and says so in every form.
func TestAContextThatIsKeptHasEndedWithItsHandler(t *testing.T) {
	type key struct{}
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		kept := make(chan context.Context, 1)
		looks := map[byte]func(ctx context.Context){
			0: func(context.Context) {},
			1: func(ctx context.Context) { ctx.Err() },
			2: func(ctx context.Context) { ctx.Done() },
			3: func(ctx context.Context) { context.AfterFunc(ctx, func() {}) },
			4: func(ctx context.Context) { context.Cause(ctx) },
		}
		p := n.pair(t,
			single(hOwn, func(ctx context.Context, req []byte) ([]byte, error) {
				looks[req[0]](ctx)
				kept <- context.WithValue(ctx, key{}, 1)
				return nil, nil
			}),
			mux(hOwn2, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				looks[st.Payload()[0]](ctx)
				kept <- context.WithValue(ctx, key{}, 1)
				return nil
			}}))
		for i := range byte(len(looks)) {
			ctx, cancel := context.WithTimeout(background, time.Hour)
			defer cancel()
			if _, err := p.conn.Request(ctx, hOwn, []byte{i}); err != nil {
				t.Fatal(err)
			}
			wantOver(t, receive(t, "the single's context", kept))
			st, err := p.conn.OpenMux(ctx, hOwn2, []byte{i})
			if err != nil {
				t.Fatal(err)
			}
			wantNumbers(t, st, 0)
			wantOver(t, receive(t, "the stream's context", kept))
		}
	})
}

// wantOver checks a context whose handler has returned, perhaps only just now.
func wantOver(t *testing.T, ctx context.Context) {
	t.Helper()
	eventually(t, "the context ends", func() bool { return ctx.Err() != nil })
	called := make(chan struct{})
	context.AfterFunc(ctx, func() { close(called) })
	receive(t, "AfterFunc of an ended context", called)
	receive(t, "Done of an ended context", ctx.Done())
	derived, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	receive(t, "Done of a derived context", derived.Done())
	for _, c := range []context.Context{ctx, derived} {
		if !errors.Is(c.Err(), context.Canceled) || !errors.Is(context.Cause(c), context.Canceled) {
			t.Errorf("ended with %v, %v", c.Err(), context.Cause(c))
		}
	}
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Hour || time.Until(deadline) < time.Minute {
		t.Errorf("deadline in %v, %v", time.Until(deadline), ok)
	}
	if _, ok := gridnode.Caller(ctx); !ok {
		t.Error("no caller")
	}
}
