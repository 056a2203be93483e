package mailbox

import (
	"context"
	"sync"
)

// Credit is a window: an amount that may be in flight. Takers get theirs first
// come, first served. All methods may be called concurrently. The zero value has
// nothing to give until Init or Return.
type Credit struct {
	mu        sync.Mutex
	available int64
	waiting   waiters
	closed    bool
	cause     error
}

// Init sets the amount.
func (c *Credit) Init(n int64) { c.available = n }

// Take takes one, waiting for it. It returns nil, the cause of ctx's end, or the
// window's.
func (c *Credit) Take(ctx context.Context) error { return c.TakeN(ctx, 1) }

// TryTake takes one if that is possible at once.
func (c *Credit) TryTake() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.take(1)
}

// take takes n if nobody waits and there is enough. c.mu is held.
func (c *Credit) take(n int64) bool {
	if c.closed || c.waiting.first != nil || c.available < n {
		return false
	}
	c.available -= n
	return true
}

// TakeN takes n at once, or waits until it can.
func (c *Credit) TakeN(ctx context.Context, n int64) error {
	c.mu.Lock()
	if c.take(n) {
		c.mu.Unlock()
		return nil
	}
	if c.closed {
		c.mu.Unlock()
		return c.cause
	}
	w := c.waiting.join()
	w.n = n
	c.mu.Unlock()
	select {
	case <-w.wake: // hand granted it, or the window was closed
		return c.granted(w)
	case <-ctx.Done():
		c.abandon(w)
		return context.Cause(ctx)
	}
}

// granted tells why w was woken: n is 0 if it has its share.
func (c *Credit) granted(w *waiter) error {
	n := w.n
	w.free()
	if n == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// abandon gives up waiting; a share that was granted meanwhile goes back.
func (c *Credit) abandon(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.queued {
		c.waiting.remove(w)
	} else {
		<-w.wake
		c.available += w.granted
	}
	w.free()
	c.hand()
}

// Return gives n back, or adds to the window. It never waits.
func (c *Credit) Return(n int64) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	c.available += n
	c.hand()
	c.mu.Unlock()
}

// hand gives the first waiters their shares, as far as they reach. c.mu is held.
func (c *Credit) hand() {
	for w := c.waiting.first; w != nil && w.n <= c.available; w = c.waiting.first {
		c.available -= w.n
		c.waiting.remove(w)
		w.granted, w.n = w.n, 0
		w.wake <- struct{}{}
	}
}

// Close ends the window: waiting and later takers get cause. The first cause
// counts.
func (c *Credit) Close(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed, c.cause = true, cause
	c.waiting.wakeAll()
}

// Available returns how much can be taken now.
func (c *Credit) Available() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.available
}
