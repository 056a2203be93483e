package actor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrFull is returned when a limit on queued and running work is reached.
	ErrFull = errors.New("actor: full")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("actor: closed")
)

// Task is a unit of work for a Pool. It may block for as long as it likes: it then
// keeps one goroutine of the pool, and delays no other task.
type Task interface{ Run() }

// Pool runs tasks on goroutines that it reuses. A worker that has finished takes
// the next queued task; workers without work wait, the last to finish is the first to
// be woken, and those that are not needed leave after a while. All methods may be
// called concurrently, also from tasks.
//
// Few workers are woken for a burst of short tasks, yet a task that blocks holds up
// nobody. The invariant: while tasks are queued, a worker is on its way to them. So
// Submit wakes a worker unless one is on its way, and a worker, before it runs the
// task it took, wakes the next if tasks are left and no other is on its way.
type Pool struct {
	// Immutable:
	limit   int
	idle    time.Duration
	onPanic func(v any, stack []byte)
	gone    chan struct{} // closed by whoever finds the pool closed and without worker

	closed atomic.Bool // set with mu held; a Reactor reads it without

	// Guarded by mu:
	mu      sync.Mutex
	queue   taskRing
	running int       // tasks being run
	workers int       // goroutines
	waking  bool      // a worker was woken or started and has not reached the queue yet
	parked  []*worker // waiting for work, oldest first
	epoch   uint64    // ticks of the reaper
	reaper  *time.Timer
	reaping bool // the reaper will tick, or is about to
}

// NewPool returns a pool for at most limit tasks, queued and running together, which
// is also its most goroutines. A goroutine without work leaves after idle, at the
// latest after twice that, so a pool without work has none. onPanic hears of tasks
// that panic, from the goroutine that did; if it is nil the panic ends the process,
// as in any goroutine.
func NewPool(limit int, idle time.Duration, onPanic func(v any, stack []byte)) *Pool {
	return &Pool{limit: limit, idle: idle, onPanic: onPanic, gone: make(chan struct{})}
}

// Submit queues t. It never waits: it returns ErrFull at the limit and ErrClosed
// after Close; t is then not run. Tasks are started in the order of Submit.
func (p *Pool) Submit(t Task) error {
	p.mu.Lock()
	if p.queue.length+p.running >= p.limit && !p.closed.Load() {
		p.mu.Unlock()
		return ErrFull
	}
	return p.enqueue(t)
}

// Continue is Submit without the limit, for what goes on with work that was admitted:
// its caller is the bound. The only error is ErrClosed.
func (p *Pool) Continue(t Task) error {
	p.mu.Lock()
	return p.enqueue(t)
}

// enqueue queues t and sees to it that a worker comes. p.mu is held and released.
func (p *Pool) enqueue(t Task) error {
	if p.closed.Load() {
		p.mu.Unlock()
		return ErrClosed
	}
	p.queue.push(t)
	w := p.recruit()
	p.mu.Unlock()
	if w != nil {
		w.wake <- struct{}{}
	}
	return nil
}

// recruit returns a parked worker for the caller to wake after the unlock. It returns
// nil if none is needed, and also if none is parked: then it has started one. p.mu is
// held.
func (p *Pool) recruit() *worker {
	if p.waking || p.queue.length == 0 {
		return nil
	}
	p.waking = true
	n := len(p.parked)
	if n == 0 {
		p.workers++
		w := &worker{wake: make(chan struct{}, 1)}
		go p.work(w) // leaves when retired or the pool is closed; Wait waits for it
		return nil
	}
	w := p.parked[n-1]
	p.parked[n-1] = nil
	p.parked = p.parked[:n-1]
	return w
}

// Close refuses further tasks. Those that are queued still run.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return
	}
	p.closed.Store(true)
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.retire(len(p.parked))
	p.checkGone()
}

// checkGone tells Wait when the last worker of a closed pool has left. p.mu is held.
func (p *Pool) checkGone() {
	if p.closed.Load() && p.workers == 0 {
		close(p.gone)
	}
}

// Wait waits until Close was called and all goroutines of the pool have left.
func (p *Pool) Wait(ctx context.Context) error {
	select {
	case <-p.gone:
		return nil
	default:
	}
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
