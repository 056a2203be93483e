package mailbox

import (
	"context"
	"math"
	"sync"
)

// Credit is a window: an amount that may be in flight. Takers are served first come,
// first served: a small amount does not overtake a large one that waits, so none
// starves. All methods but Init may be called concurrently. The zero value has
// nothing to give until Init or Return.
type Credit struct {
	// Guarded by mu:
	mu        sync.Mutex
	available int64
	waiting   waiters // those at the front want more than is available
	closed    bool
	cause     error
}

// Init sets the amount, before any other method is called.
func (c *Credit) Init(n int64) { c.available = max(n, 0) }

// Take takes one, waiting for it. It returns nil, the cause of ctx's end, or the
// window's.
func (c *Credit) Take(ctx context.Context) error { return c.TakeN(ctx, 1) }

// TryTake takes one if that is possible at once and nobody waits.
func (c *Credit) TryTake() bool { return c.TryTakeN(1) }

// TryTakeN is TryTake for n in one piece. Taking nothing, or less, succeeds.
func (c *Credit) TryTakeN(n int64) bool {
	if n <= 0 {
		return true
	}
	c.mu.Lock()
	ok := c.take(n)
	c.mu.Unlock()
	return ok
}

// take takes n if nobody waits and there is enough. c.mu is held.
func (c *Credit) take(n int64) bool {
	if c.closed || c.waiting.first != nil || c.available < n {
		return false
	}
	c.available -= n
	return true
}

// TakeN takes n in one piece, or waits until it can. An amount that the window will
// never hold waits until ctx ends, and so do those behind it. Taking nothing, or
// less, succeeds at once. If n is available it is taken even if ctx has ended.
func (c *Credit) TakeN(ctx context.Context, n int64) error {
	if n <= 0 {
		return nil
	}
	c.mu.Lock()
	if c.take(n) {
		c.mu.Unlock()
		return nil
	}
	if c.closed {
		c.mu.Unlock()
		return c.cause // never changes once closed
	}
	w := c.waiting.join()
	w.want = n
	c.mu.Unlock()
	select {
	case <-w.wake: // the share was granted, or the window was closed
		return c.woken(w)
	case <-ctx.Done():
		c.abandon(w)
		return context.Cause(ctx)
	}
}

// woken tells why w was woken.
func (c *Credit) woken(w *waiter) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	granted := w.granted
	c.waiting.free(w)
	if granted {
		return nil
	}
	return c.cause
}

// abandon gives up waiting; a share that was granted meanwhile goes back. Those
// behind may be content with what w was not.
func (c *Credit) abandon(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.granted {
		c.add(w.want)
	}
	if w.queued {
		c.waiting.remove(w)
	} else {
		<-w.wake
	}
	c.waiting.free(w)
	c.hand()
}

// Return gives n back, or widens the window. It never waits; nothing, or less, does
// nothing. The amount available stops at the largest int64.
func (c *Credit) Return(n int64) {
	if n <= 0 {
		return
	}
	c.mu.Lock()
	c.add(n)
	c.hand()
	c.mu.Unlock()
}

// add adds n, without overflow. c.mu is held.
func (c *Credit) add(n int64) { c.available += min(n, math.MaxInt64-c.available) }

// hand gives the first waiters their shares, as far as it reaches. c.mu is held.
func (c *Credit) hand() {
	for w := c.waiting.first; w != nil && w.want <= c.available; w = c.waiting.first {
		c.available -= w.want
		w.granted = true
		c.waiting.wakeOne()
	}
}

// Close ends the window: those that wait and those that come later get cause, which
// is ErrClosed if nil. The first cause counts. A share that was granted before stays
// granted.
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

// Cause returns what Close has ended the window with, nil before.
func (c *Credit) Cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Available returns how much can be taken now.
func (c *Credit) Available() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.available
}
