package mailbox

// waiter is a goroutine that waits. wake has room for one token, and a token is sent
// only to a waiter that has just been taken off the list, so waking never blocks.
type waiter struct {
	wake       chan struct{}
	want       int64   // Credit: the amount that it waits for
	granted    bool    // Credit: want has been taken for it
	queued     bool    // on the list; if not, a token is or was in wake
	prev, next *waiter // next also links the spare ones
}

// waiters is a FIFO list of waiters; its owner's lock guards it.
//
// Spare waiters are kept here and not in a sync.Pool: a channel that was made in one
// testing/synctest bubble must not be touched from outside, and a pool shared by the
// process would hand it on.
type waiters struct {
	first, last *waiter
	spare       *waiter
}

// join appends a waiter for the caller, who waits on its wake without the lock, and
// then, with the lock, calls one of free, rejoin and leave.
func (l *waiters) join() *waiter {
	w := l.spare
	if w != nil {
		l.spare, w.next = w.next, nil
	} else {
		w = &waiter{wake: make(chan struct{}, 1)}
	}
	w.prev, w.queued = l.last, true
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
	return w
}

// rejoin puts w, whose token was received in vain, back to the front: its turn came,
// so it does not queue behind those that came later.
func (l *waiters) rejoin(w *waiter) {
	w.next, w.queued = l.first, true
	if l.first != nil {
		l.first.prev = w
	} else {
		l.last = w
	}
	l.first = w
}

// leave gives up waiting and frees w. A token that has come meanwhile is passed on.
func (l *waiters) leave(w *waiter) {
	if w.queued {
		l.remove(w)
	} else {
		<-w.wake
		l.wakeOne()
	}
	l.free(w)
}

// free keeps w, whose token was received, for the next to join.
func (l *waiters) free(w *waiter) {
	w.want, w.granted = 0, false
	w.next, l.spare = l.spare, w
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
