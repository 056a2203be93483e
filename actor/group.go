package actor

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/actorgrid/actorgrid/mailbox"
)

// PanicError is the cause of an actor that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("actor: panic: %v", e.Value) }

// Group owns goroutines: it starts them, hands them a context, and waits for their
// end. The first error ends the context of all, as its cause.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wait   sync.WaitGroup
}

// NewGroup returns a group whose context hangs on ctx.
func NewGroup(ctx context.Context) *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// Go runs fn in a goroutine of the group. A panic becomes a PanicError.
func (g *Group) Go(name string, fn func(ctx context.Context) error) {
	g.wait.Go(func() {
		if err := Call(g.ctx, fn); err != nil {
			g.cancel(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// Call runs fn and turns a panic into a PanicError.
func Call(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}

// Poison ends the context of all goroutines of the group.
func (g *Group) Poison(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	g.cancel(cause)
}

// Wait waits for all goroutines and returns the first error, or the poison's cause.
func (g *Group) Wait() error {
	g.wait.Wait()
	err := context.Cause(g.ctx)
	g.cancel(context.Canceled)
	return err
}

// Ref is how others reach an actor made by Spawn.
type Ref[M any] struct {
	box  mailbox.Mailbox[M]
	life lifecycle
	done chan struct{}
	stop context.CancelCauseFunc
}

// Spawn starts an actor: body runs in a goroutine of g and takes its messages from
// in. The actor ends when body returns; its error ends the group.
func Spawn[M any](g *Group, name string, capacity int, body func(ctx context.Context, in *mailbox.Mailbox[M]) error) *Ref[M] {
	r := &Ref[M]{done: make(chan struct{})}
	r.box.Init(capacity)
	ctx, cancel := context.WithCancelCause(g.ctx)
	r.stop = cancel
	detach := context.AfterFunc(g.ctx, func() { r.Poison(context.Cause(g.ctx)) })
	r.life.to(Running)
	g.Go(name, func(context.Context) error {
		defer close(r.done)
		err := Call(ctx, func(ctx context.Context) error { return body(ctx, &r.box) })
		detach()
		r.life.to(Dead)
		r.box.Poison(err)
		cancel(err)
		return err
	})
	return r
}

// Send queues m, waiting for room.
func (r *Ref[M]) Send(ctx context.Context, m M) error { return r.box.Put(ctx, m) }

// TrySend queues m or returns mailbox.ErrFull, or why the actor has ended.
func (r *Ref[M]) TrySend(m M) error { return r.box.TryPut(m) }

// Poison makes the actor's receive return cause, overtaking what is queued, and
// cancels its context.
func (r *Ref[M]) Poison(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	r.life.to(Stopping)
	r.stop(cause)
	r.box.Poison(cause)
}

// Done is closed when the actor's body has returned.
func (r *Ref[M]) Done() <-chan struct{} { return r.done }

// Cause returns why the actor has been ended, nil before.
func (r *Ref[M]) Cause() error { return r.box.Cause() }

// State returns where the actor is in its life.
func (r *Ref[M]) State() State { return r.life.state() }
