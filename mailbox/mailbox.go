package mailbox

import (
	"context"
	"errors"
	"io"
	"sync"
)

var (
	// ErrFull is returned by TryPut when Cap messages are queued.
	ErrFull = errors.New("mailbox: full")
	// ErrClosed is returned by puts into a mailbox that was closed without a cause.
	ErrClosed = errors.New("mailbox: closed")
)

// Mailbox is a FIFO queue of at most Cap messages. Its policy when full is the
// sender's choice: wait (Put), refuse (TryPut), or drop the oldest and count it
// (PutDropOldest). All methods may be called concurrently. The zero value must be
// given a capacity with Init.
//
// A mailbox ends in one of two ways, each with a cause. Close is an end in order:
// what is queued still comes out, then Get returns the cause. Poison is a reserved
// message that overtakes the queue: Get returns the cause at once.
type Mailbox[M any] struct {
	mu       sync.Mutex
	ring     []M // grows on demand up to capacity; nil while nothing was ever queued
	head     int
	length   int
	capacity int
	state    state
	cause    error
	readers  waiters // wait for a message or the end
	writers  waiters // wait for room or the end
	done     chan struct{}
	stats    Stats
}

// state is the life of a mailbox; it only moves forward.
type state uint8

const (
	open state = iota
	closed
	poisoned
)

// Stats are counters over the life of a mailbox.
type Stats struct {
	Puts    uint64 // messages accepted
	Gets    uint64 // messages handed out
	Full    uint64 // puts that found the mailbox full
	Dropped uint64 // messages dropped by PutDropOldest, or queued at the end
	MaxLen  int    // most messages queued at once
}

// New returns a mailbox for capacity messages.
func New[M any](capacity int) *Mailbox[M] {
	b := new(Mailbox[M])
	b.Init(capacity)
	return b
}

// Init makes the zero value ready. A capacity of 0 takes no message at all.
func (b *Mailbox[M]) Init(capacity int) { b.capacity = capacity }

// Put queues m, waiting for room. It returns nil, the cause of ctx's end, or the
// cause of the mailbox's.
func (b *Mailbox[M]) Put(ctx context.Context, m M) error {
	b.mu.Lock()
	for {
		err := b.put(m)
		if err != ErrFull {
			b.mu.Unlock()
			return err
		}
		w := b.writers.join()
		b.mu.Unlock()
		select {
		case <-w.wake:
			b.mu.Lock()
			w.free()
		case <-ctx.Done():
			b.mu.Lock()
			b.writers.leave(w)
			b.mu.Unlock()
			return context.Cause(ctx)
		}
	}
}

// TryPut queues m or returns ErrFull or the cause of the mailbox's end. It never
// waits.
func (b *Mailbox[M]) TryPut(m M) error {
	b.mu.Lock()
	err := b.put(m)
	b.mu.Unlock()
	return err
}

// PutDropOldest queues m; if the mailbox is full the oldest message is dropped for
// it, which is counted. It never waits.
func (b *Mailbox[M]) PutDropOldest(m M) (dropped bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err = b.put(m)
	if err != ErrFull || b.length == 0 {
		return false, err
	}
	b.take()
	b.stats.Dropped++
	return true, b.put(m)
}

// put queues m if there is room. b.mu is held.
func (b *Mailbox[M]) put(m M) error {
	if b.state != open {
		return b.endForSenders()
	}
	if b.length == b.capacity {
		b.stats.Full++
		return ErrFull
	}
	if b.length == len(b.ring) {
		b.grow()
	}
	i := b.head + b.length
	if i >= len(b.ring) {
		i -= len(b.ring)
	}
	b.ring[i] = m
	b.length++
	b.stats.Puts++
	b.stats.MaxLen = max(b.stats.MaxLen, b.length)
	b.readers.wakeOne()
	return nil
}

// grow doubles the ring.
func (b *Mailbox[M]) grow() {
	ring := make([]M, min(max(2*len(b.ring), 4), b.capacity))
	n := copy(ring, b.ring[b.head:])
	copy(ring[n:], b.ring[:b.head])
	b.ring, b.head = ring, 0
}

// Get returns the oldest message, waiting for one. After the end it returns the
// cause, io.EOF if Close had none. The end of ctx returns its cause.
func (b *Mailbox[M]) Get(ctx context.Context) (M, error) {
	b.mu.Lock()
	for {
		m, ok, err := b.get()
		if ok || err != nil {
			b.mu.Unlock()
			return m, err
		}
		w := b.readers.join()
		b.mu.Unlock()
		select {
		case <-w.wake:
			b.mu.Lock()
			w.free()
		case <-ctx.Done():
			b.mu.Lock()
			b.readers.leave(w)
			b.mu.Unlock()
			return m, context.Cause(ctx)
		}
	}
}

// TryGet is Get without waiting: ok is false and err nil if nothing is queued.
func (b *Mailbox[M]) TryGet() (m M, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.get()
}

// get hands out the oldest message, or the end. b.mu is held.
func (b *Mailbox[M]) get() (m M, ok bool, err error) {
	if b.state == poisoned {
		return m, false, b.cause
	}
	if b.length > 0 {
		m = b.take()
		b.stats.Gets++
		b.writers.wakeOne()
		return m, true, nil
	}
	if b.state == closed {
		return m, false, b.cause
	}
	return m, false, nil
}

// take removes the oldest message. b.mu is held and there is one.
func (b *Mailbox[M]) take() M {
	var zero M
	m := b.ring[b.head]
	b.ring[b.head] = zero
	if b.head++; b.head == len(b.ring) {
		b.head = 0
	}
	b.length--
	return m
}

// Close ends the mailbox in order: senders get the cause (ErrClosed if nil),
// receivers what is queued and then the cause (io.EOF if nil). Only the first end
// counts.
func (b *Mailbox[M]) Close(cause error) {
	if cause == nil {
		cause = io.EOF
	}
	b.end(closed, cause)
}

// Poison ends the mailbox at once, overtaking what is queued, also after Close.
// What is queued stays for Drain. The first Poison's cause counts.
func (b *Mailbox[M]) Poison(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	b.end(poisoned, cause)
}

func (b *Mailbox[M]) end(to state, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state >= to {
		return
	}
	if b.state == open && b.done != nil {
		close(b.done)
	}
	b.state, b.cause = to, cause
	b.readers.wakeAll()
	b.writers.wakeAll()
}

// Drain hands what is queued to each, oldest first, and forgets it. It is for the
// owner of an ended mailbox.
func (b *Mailbox[M]) Drain(each func(M)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.length > 0 {
		b.stats.Dropped++
		each(b.take())
	}
	b.ring, b.head = nil, 0
}

// Done returns a channel that is closed at the end of the mailbox.
func (b *Mailbox[M]) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = make(chan struct{})
		if b.state != open {
			close(b.done)
		}
	}
	return b.done
}

// Cause returns why the mailbox has ended, io.EOF after Close(nil); nil before.
func (b *Mailbox[M]) Cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}

func (b *Mailbox[M]) endForSenders() error {
	if b.cause == io.EOF {
		return ErrClosed
	}
	return b.cause
}

// Len returns how many messages are queued.
func (b *Mailbox[M]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.length
}

// Cap returns the capacity.
func (b *Mailbox[M]) Cap() int { return b.capacity }

// Stats returns the counters.
func (b *Mailbox[M]) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats
}
