package mailbox

import "io"

// state is the life of a mailbox; it only moves forward, and end is what moves it.
type state uint8

const (
	open     state = iota // takes and hands out messages
	closed                // takes none, hands out what is queued
	poisoned              // takes none, hands out none
)

// Close ends the mailbox in order: senders get cause at once (ErrClosed if it is
// nil), receivers what is queued and then cause (io.EOF if nil). Senders that wait
// for room are turned away. Only the first end counts.
func (b *Mailbox[M]) Close(cause error) {
	if cause == nil {
		cause = io.EOF
	}
	b.end(closed, cause)
}

// Poison ends the mailbox at once, overtaking what is queued, also after Close.
// What is queued stays for Drain. The first Poison's cause counts; it is ErrClosed if
// nil.
func (b *Mailbox[M]) Poison(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	b.end(poisoned, cause)
}

// Abandon is the Poison of a receiver that stops: it does nothing if the mailbox is
// closed and all has been handed out, since that end is a complete one.
func (b *Mailbox[M]) Abandon(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != closed || b.queue.length > 0 {
		b.endLocked(poisoned, cause)
	}
}

func (b *Mailbox[M]) end(to state, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endLocked(to, cause)
}

// endLocked is end; b.mu is held.
func (b *Mailbox[M]) endLocked(to state, cause error) {
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

// causeForSenders turns the receivers' word for a clean end into one for senders.
// b.mu is held and the mailbox has ended.
func (b *Mailbox[M]) causeForSenders() error {
	if b.state == closed && b.cause == io.EOF {
		return ErrClosed
	}
	return b.cause
}

// Drain takes out what is queued and hands it to each, oldest first, without a lock:
// each may use the mailbox. The messages count as dropped. It is for the owner of an
// ended mailbox; in an open one it makes room like any receiver.
func (b *Mailbox[M]) Drain(each func(M)) {
	b.mu.Lock()
	left := b.queue
	b.queue = ring[M]{}
	b.stats.Dropped += uint64(left.length)
	b.writers.wakeAll()
	b.mu.Unlock()
	for left.length > 0 {
		each(left.pop())
	}
}

// Done returns a channel that is closed when the mailbox has ended, by Close or by
// Poison. With Close there may still be messages to get.
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

// Cause returns why the mailbox has ended, as receivers see it: io.EOF after
// Close(nil). It returns nil before the end.
func (b *Mailbox[M]) Cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}
