package mailbox

import (
	"context"
	"errors"
	"sync"
)

var (
	// ErrFull is returned by TryPut when Cap messages are queued.
	ErrFull = errors.New("mailbox: full")
	// ErrClosed is returned by puts into a mailbox that was closed without a cause,
	// and is the cause of one that was poisoned without one.
	ErrClosed = errors.New("mailbox: closed")
)

// Mailbox is a FIFO queue of at most Cap messages. Its policy when full is the
// sender's choice: wait (Put), refuse (TryPut), or drop the oldest and count it
// (PutDropOldest). All methods but Init may be called concurrently. The zero value
// has capacity 0: it takes no message until Init.
//
// A mailbox ends in one of two ways, each with a cause. Close is an end in order:
// what is queued still comes out, then Get returns the cause. Poison is a reserved
// message that overtakes the queue: Get returns the cause at once.
type Mailbox[M any] struct {
	// Immutable after Init:
	capacity int

	// Guarded by mu:
	mu      sync.Mutex
	queue   ring[M]
	state   state
	cause   error         // why it has ended; nil while open
	readers waiters       // wait for a message or the end
	writers waiters       // wait for room or the end
	done    chan struct{} // made by the first Done
	stats   Stats
}

// Stats are counters over the life of a mailbox. Puts = Gets + Dropped + Len holds
// at any moment.
type Stats struct {
	Puts    uint64 // messages accepted
	Gets    uint64 // messages handed out
	Full    uint64 // puts that found the mailbox full, whatever they did then
	Dropped uint64 // messages dropped by PutDropOldest or taken by Drain
	MaxLen  uint64 // most messages queued at once
}

// New returns a mailbox for capacity messages.
func New[M any](capacity int) *Mailbox[M] {
	b := new(Mailbox[M])
	b.Init(capacity)
	return b
}

// Init makes the zero value ready, before any other method is called. A capacity of
// 0 or less takes no message at all, and still tells receivers of the end.
func (b *Mailbox[M]) Init(capacity int) { b.capacity = max(capacity, 0) }

// Put queues m, waiting for room. It returns nil, the cause of ctx's end, or the
// cause of the mailbox's. If there is room m is queued even if ctx has ended.
func (b *Mailbox[M]) Put(ctx context.Context, m M) error {
	b.mu.Lock()
	accepted, err := b.put(m)
	if accepted || err != nil {
		b.mu.Unlock()
		return err
	}
	b.stats.Full++
	w := b.writers.join()
	for {
		b.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
			b.mu.Lock()
			b.writers.leave(w)
			b.mu.Unlock()
			return context.Cause(ctx)
		}
		b.mu.Lock()
		if accepted, err = b.put(m); accepted || err != nil {
			b.writers.free(w)
			b.mu.Unlock()
			return err
		}
		b.writers.rejoin(w) // a TryPut was faster
	}
}

// TryPut queues m or returns ErrFull or the cause of the mailbox's end. It never
// waits.
func (b *Mailbox[M]) TryPut(m M) error {
	b.mu.Lock()
	accepted, err := b.put(m)
	if !accepted && err == nil {
		b.stats.Full++
		err = ErrFull
	}
	b.mu.Unlock()
	return err
}

// PutDropOldest queues m; if the mailbox is full the oldest message is dropped for
// it, which is counted. It never waits. A mailbox of capacity 0 returns ErrFull.
func (b *Mailbox[M]) PutDropOldest(m M) (dropped bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	accepted, err := b.put(m)
	if accepted || err != nil {
		return false, err
	}
	b.stats.Full++
	if b.capacity == 0 {
		return false, ErrFull
	}
	b.queue.pop()
	b.stats.Dropped++
	b.put(m)
	return true, nil
}

// put queues m if there is room, else reports neither accepted nor an error: a cause
// may be any error, ErrFull too, so an error value cannot stand for a full mailbox.
// b.mu is held.
func (b *Mailbox[M]) put(m M) (accepted bool, err error) {
	if b.state != open {
		return false, b.causeForSenders()
	}
	if b.queue.length >= b.capacity {
		return false, nil
	}
	b.queue.push(m, b.capacity)
	b.stats.Puts++
	b.stats.MaxLen = max(b.stats.MaxLen, uint64(b.queue.length))
	b.readers.wakeOne()
	return true, nil
}

// Get returns the oldest message, waiting for one. After the end it returns the
// cause, io.EOF if Close had none. The end of ctx returns its cause, but a message
// that is queued already is handed out nevertheless.
func (b *Mailbox[M]) Get(ctx context.Context) (M, error) {
	b.mu.Lock()
	m, ok, err := b.get()
	if ok || err != nil {
		b.mu.Unlock()
		return m, err
	}
	w := b.readers.join()
	for {
		b.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
			b.mu.Lock()
			b.readers.leave(w)
			b.mu.Unlock()
			return m, context.Cause(ctx)
		}
		b.mu.Lock()
		if m, ok, err = b.get(); ok || err != nil {
			b.readers.free(w)
			b.mu.Unlock()
			return m, err
		}
		b.readers.rejoin(w) // another receiver was faster
	}
}

// TryGet is Get without waiting: ok is false and err nil if nothing is queued.
func (b *Mailbox[M]) TryGet() (m M, ok bool, err error) {
	b.mu.Lock()
	m, ok, err = b.get()
	b.mu.Unlock()
	return m, ok, err
}

// get hands out the oldest message, or the end. b.mu is held.
func (b *Mailbox[M]) get() (m M, ok bool, err error) {
	if b.state == poisoned {
		return m, false, b.cause
	}
	if b.queue.length > 0 {
		b.stats.Gets++
		b.writers.wakeOne()
		return b.queue.pop(), true, nil
	}
	if b.state == closed {
		return m, false, b.cause
	}
	return m, false, nil
}

// Len returns how many messages are queued.
func (b *Mailbox[M]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.length
}

// Cap returns the capacity.
func (b *Mailbox[M]) Cap() int { return b.capacity }

// Stats returns the counters.
func (b *Mailbox[M]) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats
}
