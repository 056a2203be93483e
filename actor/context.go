package actor

import (
	"context"
	"sync"
	"time"
)

// Context is a context.Context to be embedded by value in what it is the context
// of. It makes a channel and a timer only when somebody asks for Done: a handler
// that never does costs nothing. Its cancellation is the actor's poison.
type Context struct {
	parent   context.Context // for values and, if it can end, its end
	deadline time.Time       // zero: none

	mu     sync.Mutex
	cause  error           // set once
	err    error           // context.Canceled or context.DeadlineExceeded
	inner  context.Context // made by Done; what derived contexts hang on
	cancel context.CancelCauseFunc
	stop   context.CancelFunc // of inner's deadline
	detach func() bool        // from parent
}

// Init makes the zero value ready. parent gives the values, and ends the context
// when it ends.
func (c *Context) Init(parent context.Context, deadline time.Time) {
	c.parent, c.deadline = parent, deadline
	if parent.Done() != nil {
		c.detach = context.AfterFunc(parent, func() { c.end(parent.Err(), context.Cause(parent)) })
	}
}

// Cancel ends the context with cause. The first end counts.
func (c *Context) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	c.end(context.Canceled, cause)
}

// Finish ends the context when its work is over and releases what it holds.
func (c *Context) Finish() { c.end(context.Canceled, context.Canceled) }

func (c *Context) end(err, cause error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err, c.cause = err, cause
	cancel, stop, detach := c.cancel, c.stop, c.detach
	c.mu.Unlock()
	if detach != nil {
		detach()
	}
	if err == context.DeadlineExceeded {
		return // inner has its own clock and ends by it, with that error
	}
	if cancel != nil {
		cancel(cause)
	}
	if stop != nil {
		stop()
	}
}

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} { return c.materialise().Done() }

// materialise makes the channel and the timer.
func (c *Context) materialise() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner != nil {
		return c.inner
	}
	c.inner, c.cancel = context.WithCancelCause(context.WithoutCancel(c.parent))
	if c.err == context.Canceled {
		c.cancel(c.cause)
	}
	if !c.deadline.IsZero() {
		c.inner, c.stop = context.WithDeadline(c.inner, c.deadline)
	}
	return c.inner
}

// Err implements context.Context. It looks at the clock, so it needs no timer.
func (c *Context) Err() error {
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	if err == nil && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded, context.DeadlineExceeded)
		return c.Err()
	}
	return err
}

// Cause returns why the context has ended, nil before. context.Cause gives the same
// for it and for contexts derived from it.
func (c *Context) Cause() error {
	if c.Err() == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Value implements context.Context. The context package looks for its own
// cancellation by a private key, which only inner can answer: so there must be one
// as soon as there is an end to ask about.
func (c *Context) Value(key any) any {
	c.mu.Lock()
	inner := c.inner
	c.mu.Unlock()
	if inner == nil && (c.parent.Done() != nil || c.Err() != nil) {
		inner = c.materialise()
	}
	if inner != nil {
		return inner.Value(key)
	}
	return c.parent.Value(key)
}
