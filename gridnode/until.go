package gridnode

import (
	"context"
	"sync"
)

// waitingSends are the sends of a stream that wait for the window or the gate: these
// are the session's and do not end with the stream.
type waitingSends struct {
	mu    sync.Mutex // a leaf: it may be taken under session.mu
	sends map[*untilEnd]struct{}
}

// untilEnd is the context of one send, which also ends with its stream. A send that
// need not wait never asks for Done, and costs no more than this.
type untilEnd struct {
	context.Context
	x      *mux
	cancel context.CancelCauseFunc // nil before Done
}

func (x *mux) until(ctx context.Context) *untilEnd { return &untilEnd{Context: ctx, x: x} }

// Done implements context.Context; only the sender calls it.
func (u *untilEnd) Done() <-chan struct{} {
	if u.cancel == nil {
		u.Context, u.cancel = context.WithCancelCause(u.Context)
		w := &u.x.waiting
		w.mu.Lock()
		if w.sends == nil {
			w.sends = make(map[*untilEnd]struct{})
		}
		w.sends[u] = struct{}{}
		w.mu.Unlock()
		if cause := u.x.out.Cause(); cause != nil {
			u.cancel(cause) // endSends may have come before
		}
	}
	return u.Context.Done()
}

// Err implements context.Context.
func (u *untilEnd) Err() error {
	if err := u.Context.Err(); err != nil {
		return err
	}
	if u.x.out.Cause() != nil {
		return context.Canceled
	}
	return nil
}

// stop releases what Done has made.
func (u *untilEnd) stop() {
	if u.cancel == nil {
		return
	}
	w := &u.x.waiting
	w.mu.Lock()
	delete(w.sends, u)
	w.mu.Unlock()
	u.cancel(nil)
}

// endSends ends all sends of the stream, wherever they wait, and those to come.
func (x *mux) endSends(cause error) {
	x.out.Close(cause)
	x.sending.Close(cause)
	w := &x.waiting
	w.mu.Lock()
	sends := w.sends
	w.sends = nil
	w.mu.Unlock()
	for u := range sends {
		u.cancel(cause)
	}
}
