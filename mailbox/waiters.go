package mailbox

import "sync"

// waiter is a goroutine that waits. Waiters are pooled; wake has room for one
// token, so waking never blocks.
type waiter struct {
	wake       chan struct{}
	n          int64 // what it still waits for, if that is an amount
	granted    int64 // what it was given
	next, prev *waiter
	queued     bool
}

var pool = sync.Pool{New: func() any { return &waiter{wake: make(chan struct{}, 1)} }}

func (w *waiter) free() { pool.Put(w) }

// waiters is a FIFO list of waiters; its owner's lock guards it.
type waiters struct{ first, last *waiter }

func (l *waiters) join() *waiter {
	w := pool.Get().(*waiter)
	w.prev, w.next, w.queued = l.last, nil, true
	w.n, w.granted = 0, 0
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
	return w
}

func (l *waiters) remove(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
}

// wakeOne wakes the first waiter.
func (l *waiters) wakeOne() {
	if w := l.first; w != nil {
		l.remove(w)
		w.wake <- struct{}{}
	}
}

func (l *waiters) wakeAll() {
	for l.first != nil {
		l.wakeOne()
	}
}

// leave gives up waiting and frees w. A wake-up that has come already is passed on.
func (l *waiters) leave(w *waiter) {
	if w.queued {
		l.remove(w)
	} else {
		<-w.wake
		l.wakeOne()
	}
	w.free()
}
