package actor

import (
	"sync/atomic"

	"github.com/actorgrid/actorgrid/mailbox"
)

// Reactor is an actor without a goroutine of its own: when a message comes, a worker
// of its pool runs receive for it, and for those that follow, one at a time.
type Reactor[M any] struct {
	box     mailbox.Mailbox[M]
	pool    *Pool
	receive func(M)
	active  atomic.Bool // on a worker, or queued for one
}

// burst bounds the messages that a reactor handles before it lets other tasks of
// the pool go first.
const burst = 64

// NewReactor returns a reactor with a mailbox of the given capacity.
func NewReactor[M any](pool *Pool, capacity int, receive func(M)) *Reactor[M] {
	r := &Reactor[M]{pool: pool, receive: receive}
	r.box.Init(capacity)
	return r
}

// TrySend queues m. It never waits: it returns mailbox.ErrFull, the poison's cause,
// or what the pool says.
func (r *Reactor[M]) TrySend(m M) error {
	if err := r.box.TryPut(m); err != nil {
		return err
	}
	return r.activate()
}

func (r *Reactor[M]) activate() error {
	if r.active.Swap(true) {
		return nil
	}
	if err := r.pool.Submit((*activation[M])(r)); err != nil {
		r.active.Store(false)
		return err
	}
	return nil
}

// activation is a Reactor as a task of its pool.
type activation[M any] Reactor[M]

func (a *activation[M]) Run() {
	r := (*Reactor[M])(a)
	for range burst {
		m, ok, err := r.box.TryGet()
		if err != nil {
			return // poisoned: it stays active for ever, and is never run again
		}
		if ok {
			r.receive(m)
			continue
		}
		r.active.Store(false)
		if r.box.Len() == 0 || r.active.Swap(true) {
			return // empty, or somebody else has activated it
		}
	}
	if r.pool.Submit(a) != nil {
		for { // the pool closes: finish here
			m, ok, err := r.box.TryGet()
			if !ok || err != nil {
				r.active.Store(false)
				return
			}
			r.receive(m)
		}
	}
}

// Poison ends the reactor: what is queued is dropped. A receive that runs is not
// interrupted.
func (r *Reactor[M]) Poison(cause error) {
	r.box.Poison(cause)
	r.box.Drain(func(M) {})
}

// Done is closed when the reactor has been poisoned.
func (r *Reactor[M]) Done() <-chan struct{} { return r.box.Done() }

// Len returns how many messages are queued.
func (r *Reactor[M]) Len() int { return r.box.Len() }
