package actor

import (
	"context"
	"fmt"
	"sync"
)

// Group owns goroutines: it starts them, hands them a context, and waits for their
// end. The first error ends the context of all, as its cause. All methods may be
// called concurrently, but no Go or Spawn after Wait has returned.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wait   sync.WaitGroup
}

// NewGroup returns a group whose context hangs on ctx. Wait must be called, or ctx
// end, for its resources to be released.
func NewGroup(ctx context.Context) *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// Go runs fn in a goroutine of the group, which Wait waits for. Its error, with the
// name in front, is the group's unless another came first. A panic is a *PanicError.
func (g *Group) Go(name string, fn func(ctx context.Context) error) {
	g.wait.Go(func() {
		err := ErrGoexit
		defer func() {
			if err != nil {
				g.cancel(fmt.Errorf("%s: %w", name, err))
			}
		}()
		err = Call(g.ctx, fn)
	})
}

// Poison ends the context of all goroutines of the group. Wait then returns cause,
// which is context.Canceled if nil.
func (g *Group) Poison(cause error) { g.cancel(cause) }

// Wait waits for all goroutines and returns what came first: the error of one of
// them, the cause of Poison, or that of the context the group hangs on. It returns
// nil if there was none of these.
func (g *Group) Wait() error {
	g.wait.Wait()
	err := context.Cause(g.ctx)
	g.cancel(nil)
	return err
}
