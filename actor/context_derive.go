package actor

import "context"

// What the context package asks of a context that is not its own, so that contexts
// derived from it end with it and know its cause. To be made of the package's own
// contexts instead, as it once was, costs three times the allocations at the first
// Done, which every stream asks for.

// callback is a function to be called at the end. A list of them is guarded by the
// Context's mu until end takes it; then it belongs to end, and registered is false.
type callback struct {
	f          func()
	registered bool
	prev, next *callback
}

// AfterFunc is for the context package, which registers the contexts that it derives.
// f is called once the context has ended, by whoever ended it, and must not block;
// others want context.AfterFunc. stop reports whether f will never be called.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.Done() // so that the clock and the parent are watched
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		// The caller may hold a lock that f wants. Nobody waits for the goroutine:
		// it ends with f.
		go f()
		return func() bool { return false }
	}
	b := &callback{f: f, registered: true, next: c.callbacks}
	if b.next != nil {
		b.next.prev = b
	}
	c.callbacks = b
	return func() bool { return c.unregister(b) }
}

// unregister takes b off the list, unless end was first.
func (c *Context) unregister(b *callback) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.registered {
		return false
	}
	b.registered = false
	if b.prev != nil {
		b.prev.next = b.next
	} else {
		c.callbacks = b.next
	}
	if b.next != nil {
		b.next.prev = b.prev
	}
	return true
}

// takeCallbacks returns the list, for the caller to call. c.mu is held.
func (c *Context) takeCallbacks() *callback {
	first := c.callbacks
	c.callbacks = nil
	for b := first; b != nil; b = b.next {
		b.registered = false
	}
	return first
}

// recorded answers the context package's question for its own record of an ended
// context, which is the only place where context.Cause looks for a cause. There is
// none before the end: what hangs on a Context registers with AfterFunc.
func (c *Context) recorded() any {
	if c.Err() == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.record == nil {
		record, cancel := context.WithCancelCause(context.Background())
		cancel(c.cause)
		c.record = record
	}
	return c.record.Value(recordKey)
}

// recordKey is the key by which the context package asks a context for its record.
// It is private, so it is learnt: context.Cause asks by it.
var recordKey = func() any {
	p := probe{Context: context.Background()}
	context.Cause(&p)
	return p.key
}()

// probe is an ended context that remembers the last key it was asked for.
type probe struct {
	context.Context
	key any
}

func (p *probe) Err() error { return context.Canceled }

func (p *probe) Value(key any) any {
	p.key = key
	return nil
}
