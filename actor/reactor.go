package actor

import (
	"runtime/debug"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/mailbox"
)

// Reactor is an actor without a goroutine of its own: when a message comes, a worker
// of its pool runs receive for it, and for those that follow, one at a time and in
// order. All methods may be called concurrently, also from receive.
type Reactor[M any] struct {
	box     mailbox.Mailbox[M]
	pool    *Pool
	receive func(M)
	active  atomic.Bool // on a worker, or queued for one
}

// NewReactor returns a reactor with a mailbox of the given capacity. It takes room in
// the pool only while it has messages.
func NewReactor[M any](pool *Pool, capacity int, receive func(M)) *Reactor[M] {
	r := &Reactor[M]{pool: pool, receive: receive}
	r.box.Init(capacity)
	return r
}

// TrySend queues m. It never waits: it returns mailbox.ErrFull or the poison's cause,
// and then m is not handled. The pool's limit does not apply, because a reactor is one
// task at most, however many messages it has. The end of the pool is the poison of a
// reactor that is idle then, with ErrClosed; one that is at work finishes it first.
func (r *Reactor[M]) TrySend(m M) error {
	if !r.active.Load() && r.pool.closed.Load() {
		r.Poison(ErrClosed)
		return r.Cause()
	}
	if err := r.box.TryPut(m); err != nil {
		return err
	}
	if r.active.Load() || r.active.Swap(true) {
		return nil
	}
	if err := r.pool.Continue((*activation[M])(r)); err != nil {
		// The pool has just closed. No error: a run that ended meanwhile may have
		// handled m, and if none did, m was queued and poison dropped it.
		r.Poison(err)
	}
	return nil
}

// activation is a Reactor as a task of its pool.
type activation[M any] Reactor[M]

// Run handles what is queued, on a worker of the pool. It does not make room for other
// tasks after so many messages: they have a worker of their own.
func (a *activation[M]) Run() {
	r := (*Reactor[M])(a)
	orderly := false
	defer func() {
		if !orderly {
			r.broken(recover())
		}
	}()
	for {
		m, ok, err := r.box.TryGet()
		if err != nil {
			break
		}
		if ok {
			r.receive(m)
			continue
		}
		r.active.Store(false)
		if r.box.Len() == 0 || r.active.Swap(true) {
			break // empty, or somebody else has activated it
		}
	}
	orderly = true
}

// broken poisons a reactor whose receive did not return, then lets the panic go on to
// the pool: v is nil after runtime.Goexit.
func (r *Reactor[M]) broken(v any) {
	if v == nil {
		r.Poison(ErrGoexit)
		return
	}
	r.Poison(&PanicError{Value: v, Stack: debug.Stack()})
	panic(v)
}

// Poison ends the reactor: what is queued is dropped and counted. A receive that runs
// is not interrupted. The first cause counts; it is mailbox.ErrClosed if nil.
func (r *Reactor[M]) Poison(cause error) {
	r.box.Poison(cause)
	r.box.Drain(func(M) {})
}

// Done is closed when the reactor has been poisoned.
func (r *Reactor[M]) Done() <-chan struct{} { return r.box.Done() }

// Cause returns why the reactor has ended, nil before.
func (r *Reactor[M]) Cause() error { return r.box.Cause() }

// Len returns how many messages are queued.
func (r *Reactor[M]) Len() int { return r.box.Len() }
