package actor

import (
	"context"
	"errors"

	"github.com/actorgrid/actorgrid/mailbox"
)

// Ref is how others reach an actor made by Spawn. All methods may be called
// concurrently.
type Ref[M any] struct {
	box  mailbox.Mailbox[M]
	life lifecycle
	done chan struct{} // closed when the body has returned
	stop context.CancelCauseFunc
}

// Spawn starts an actor: body runs in a goroutine of g and takes its messages, at
// most capacity at once, from in. Poison, or the end of g, cancels ctx and makes
// in.Get return the cause. The actor ends when body returns. Messages that it has
// left are dropped, and its error ends the group, unless it was poisoned and the
// error is the poison's cause or context.Canceled: such an actor did what it was told.
func Spawn[M any](g *Group, name string, capacity int, body func(ctx context.Context, in *mailbox.Mailbox[M]) error) *Ref[M] {
	r := &Ref[M]{done: make(chan struct{})}
	r.box.Init(capacity)
	ctx, cancel := context.WithCancelCause(g.ctx)
	r.stop = cancel
	r.life.to(Running)
	// Runs in a goroutine of its own, which the actor waits for if it has started.
	relayed := make(chan struct{})
	detach := context.AfterFunc(g.ctx, func() {
		defer close(relayed)
		r.Poison(context.Cause(g.ctx))
	})
	g.Go(name, func(context.Context) error {
		err := ErrGoexit
		defer func() {
			if !detach() {
				<-relayed
			}
			r.end(err)
		}()
		err = Call(ctx, func(ctx context.Context) error { return body(ctx, &r.box) })
		if r.obeyed(err) {
			return nil
		}
		return err
	})
	return r
}

// obeyed reports whether err, from the body, is how a poisoned actor ends: with the
// cause, or with what its context said.
func (r *Ref[M]) obeyed(err error) bool {
	if _, panicked := err.(*PanicError); panicked || r.State() != Stopping {
		return false
	}
	return errors.Is(err, r.box.Cause()) || errors.Is(err, context.Canceled)
}

// end makes the actor Dead; err is what its body returned.
func (r *Ref[M]) end(err error) {
	r.life.to(Dead)
	r.box.Poison(err)
	r.box.Drain(func(M) {})
	r.stop(err)
	close(r.done)
}

// Send queues m, waiting for room. It returns nil, the cause of ctx's end, or why
// the actor has ended. A message that was accepted is not promised to be handled.
func (r *Ref[M]) Send(ctx context.Context, m M) error { return r.box.Put(ctx, m) }

// TrySend queues m or returns mailbox.ErrFull, or why the actor has ended.
func (r *Ref[M]) TrySend(m M) error { return r.box.TryPut(m) }

// Poison makes the actor's receive return cause, overtaking what is queued, and
// cancels its context. It neither waits nor fails; the first cause counts, and
// context.Canceled stands in for nil.
func (r *Ref[M]) Poison(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	if r.life.to(Stopping) {
		r.box.Poison(cause)
		r.stop(cause)
	}
}

// Done is closed when the actor's body has returned.
func (r *Ref[M]) Done() <-chan struct{} { return r.done }

// Cause returns why the actor has ended or been told to: the poison's cause or the
// body's error, and mailbox.ErrClosed if it returned none. It is nil before.
func (r *Ref[M]) Cause() error { return r.box.Cause() }

// State returns where the actor is in its life.
func (r *Ref[M]) State() State { return r.life.state() }
