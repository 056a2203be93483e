package test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// typedError is an error of a type of its own; a nil *typedError is an error too, whose
// methods panic.
type typedError struct{ text string }

func (e *typedError) Error() string { return e.text }

// withBroken runs a call of each kind against handlers that all do the same, and hands
// on what the caller gets; nothing of the calls is left.
func (n *rig) withBroken(t *testing.T, do func() error, check func(t *testing.T, kind string, got error)) {
	t.Helper()
	var log logLines
	p := n.pair(t, log.option(),
		single(hOwn, func(context.Context, []byte) ([]byte, error) { return nil, do() }),
		mux(hOwn2, gridnode.MuxHandler{InCapacity: 1, Handle: func(context.Context, *gridnode.MuxServer) error { return do() }}),
		stream(hOwn3, gridnode.StreamHandler{Handle: func(context.Context, []byte, <-chan []byte, chan<- []byte) error { return do() }}),
	)
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	for _, size := range []int{0, 100_000} {
		_, err := p.conn.Request(ctx, hOwn, make([]byte, size))
		check(t, "single", err)
	}
	for _, h := range []gridnode.HandlerID{hOwn2, hOwn3} {
		_, err := open(t, p.conn, h, nil).Recv(ctx)
		check(t, "stream", err)
	}
	if n := log.count("handler panicked"); n != 4 {
		t.Errorf("%d panics in the log of 4", n)
	}
	wantEcho(t, p.conn, "afterwards")
}

// The oldest trap of the language: a handler returns a nil pointer as its error. To ask
// it for its text panics, and that is the caller's error like any panic of the handler.
func TestPromise10AnErrorThatPanicsIsItsCallersError(t *testing.T) {
	var none *typedError
	var nobody *gridnode.Error
	for name, err := range map[string]error{"own type": none, "grid error": nobody} {
		t.Run(name, func(t *testing.T) {
			onEveryNetwork(t, func(t *testing.T, n *rig) {
				n.withBroken(t, func() error { return err }, func(t *testing.T, kind string, got error) {
					wantIs(t, got, gridnode.ErrPanic)
				})
			})
		})
	}
}

// A handler that ends its goroutine, as a failing test does, has not answered: its
// caller is told so at once, and the call takes no place any more.
func TestPromise10AHandlerThatEndsItsGoroutineIsItsCallersError(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		n.withBroken(t, func() error { runtime.Goexit(); return nil }, func(t *testing.T, kind string, got error) {
			wantIs(t, got, gridnode.ErrPanic)
			if got != nil && !strings.Contains(got.Error(), "Goexit") {
				t.Errorf("%s: %v", kind, got)
			}
		})
	})
}

// The same trap as the cause of a caller's context: it ends the calls, and nothing else.
func TestACauseThatPanicsEndsItsCalls(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		ctx, cancel := context.WithCancelCause(background)
		st, err := w.conn.OpenMux(ctx, hWatchTwoWay, nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { // ends with the call
			_, err := w.conn.Request(ctx, hWatchSingle, nil)
			ended <- err
		}()
		for range 2 {
			receive(t, "the handlers run", w.entered)
		}
		var none *typedError
		cancel(none)
		wantIs(t, receive(t, "the call ends", ended), context.Canceled)
		_, err = st.Recv(background)
		wantIs(t, err, context.Canceled)
		for range 2 {
			w.wantLeft(t, context.Canceled)
		}
	})
}
