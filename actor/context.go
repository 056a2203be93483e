package actor

import (
	"context"
	"sync"
	"time"
)

// Context is a context.Context to be embedded by value in what it is the context
// of. Until somebody asks for Done, directly or by deriving a context, it has
// neither a channel nor a timer and is not known to its parent: for a handler that
// never asks it costs no allocation. Its cancellation is the actor's poison.
//
// All methods but Init may be called concurrently. It must not be used again for
// other work: whoever got it may keep it.
type Context struct {
	// Immutable after Init:
	parent   context.Context
	deadline time.Time // before the parent's; zero: none

	// Guarded by mu:
	mu        sync.Mutex
	err       error // context.Canceled, context.DeadlineExceeded, or the parent's
	cause     error // set with err, once
	record    context.Context
	callbacks *callback

	// Guarded by mu; nil until somebody asks for Done:
	done   chan struct{}
	timer  *time.Timer // of deadline
	detach func() bool // from parent, if that can end
}

// Init makes the zero value ready, before any other method is called. parent gives
// the values, and ends the context when it ends. The deadline, if it is not zero,
// counts if it is before the parent's.
func (c *Context) Init(parent context.Context, deadline time.Time) {
	if d, ok := parent.Deadline(); ok && !deadline.Before(d) {
		deadline = time.Time{} // the parent's end comes first
	}
	c.parent, c.deadline = parent, deadline
}

// Cancel ends the context with cause, or context.Canceled if that is nil. The first
// end counts.
func (c *Context) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	c.end(context.Canceled, cause)
}

// Finish ends the context when its work is over, and releases what it holds. Whether
// the time was over before is not asked if nobody has watched: that would be a look at
// the clock for each piece of work.
func (c *Context) Finish() {
	if !c.finishUnwatched() {
		c.Cancel(nil)
	}
}

// finishUnwatched is Finish if that takes no more than to say so.
func (c *Context) finishUnwatched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.done != nil {
		return false
	}
	c.err, c.cause = context.Canceled, context.Canceled
	return true
}

// end ends the context unless it has ended; with a nil err only if its parent has
// ended or its time is over, which count as first if both are the case. It returns
// what Err is to return.
func (c *Context) end(err, cause error) error {
	parentErr := c.parent.Err() // without the lock: it may be a Context, and end there
	c.mu.Lock()
	if c.err != nil {
		err = c.err
		c.mu.Unlock()
		return err
	}
	switch {
	case parentErr != nil:
		err, cause = parentErr, context.Cause(c.parent)
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		err, cause = context.DeadlineExceeded, context.DeadlineExceeded
	case err == nil:
		c.mu.Unlock()
		return nil
	}
	c.err, c.cause = err, cause
	if c.done != nil {
		close(c.done)
	}
	timer, detach, callbacks := c.timer, c.detach, c.takeCallbacks()
	c.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	if detach != nil {
		detach()
	}
	for ; callbacks != nil; callbacks = callbacks.next {
		callbacks.f()
	}
	return err
}

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) {
	if c.deadline.IsZero() {
		return c.parent.Deadline()
	}
	return c.deadline, true
}

// Done implements context.Context. The first call makes the channel and the timer.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	if c.done != nil {
		defer c.mu.Unlock()
		return c.done
	}
	c.mu.Unlock()
	c.Err() // if it has ended unseen, there is nothing to watch
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		c.watch()
	}
	return c.done
}

// watch sees to it that done is closed. c.mu is held.
func (c *Context) watch() {
	if c.err != nil {
		close(c.done)
		return
	}
	look := func() { c.Err() }
	if !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), look)
	}
	if c.parent.Done() != nil {
		c.detach = context.AfterFunc(c.parent, look)
	}
}

// Err implements context.Context. It asks the clock and the parent, so that it needs
// no timer.
func (c *Context) Err() error { return c.end(nil, nil) }

// Cause returns why the context has ended, nil before. context.Cause gives the same
// for it and for contexts derived from it.
func (c *Context) Cause() error {
	c.Err()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Value implements context.Context.
func (c *Context) Value(key any) any {
	if key == recordKey {
		return c.recorded()
	}
	return c.parent.Value(key)
}
