package actor

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
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
// the next queued task; workers without work wait, the last to finish first, and
// end after a while.
//
// Few workers are woken for a burst of short tasks, yet a task that blocks holds up
// nobody: each worker, before it runs a task, wakes one more if tasks are left and
// no other wake-up is on its way. A goroutine per task costs 1 us more per call
// at 64 callers.
type Pool struct {
	max     int
	idle    time.Duration
	onPanic func(v any, stack []byte)

	mu      sync.Mutex
	queue   []Task // ring
	head    int
	queued  int
	running int       // tasks being run
	parked  []*worker // waiting for work; the last one waits the shortest
	waking  bool      // a worker has been woken or started and has not taken a task yet
	workers int
	closed  bool
	gone    chan struct{} // closed when closed and no worker is left
	reaper  *time.Timer   // runs while workers are parked
	reaping bool
}

// worker is one goroutine of a pool. wake has room for one token; a worker that
// finds retire set ends.
type worker struct {
	wake   chan struct{}
	retire bool
	since  time.Time
}

// NewPool returns a pool for at most limit tasks, queued and running together. A
// goroutine without work ends after idle. onPanic hears of tasks that panic, and may
// be nil. A pool without work has no goroutine.
func NewPool(limit int, idle time.Duration, onPanic func(v any, stack []byte)) *Pool {
	return &Pool{max: limit, idle: idle, onPanic: onPanic, gone: make(chan struct{})}
}

// Submit queues t. It never waits: it returns ErrFull at the limit and ErrClosed
// after Close.
func (p *Pool) Submit(t Task) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	if p.queued+p.running >= p.max {
		p.mu.Unlock()
		return ErrFull
	}
	p.push(t)
	w, start := p.recruit()
	p.mu.Unlock()
	p.rouse(w, start)
	return nil
}

// recruit picks a parked worker, or says that one must be started, unless a wake-up
// is on its way already. p.mu is held.
func (p *Pool) recruit() (w *worker, start bool) {
	if p.waking || p.queued == 0 {
		return nil, false
	}
	p.waking = true
	if n := len(p.parked); n > 0 {
		w = p.parked[n-1]
		p.parked[n-1] = nil
		p.parked = p.parked[:n-1]
		return w, false
	}
	p.workers++
	return nil, true
}

// rouse does what recruit decided, without the lock.
func (p *Pool) rouse(w *worker, start bool) {
	switch {
	case w != nil:
		w.wake <- struct{}{}
	case start:
		go p.work(&worker{wake: make(chan struct{}, 1)}) // Wait waits for it
	}
}

// work is the body of a worker.
func (p *Pool) work(w *worker) {
	woken := true
	for {
		p.mu.Lock()
		if woken {
			p.waking, woken = false, false
		}
		t := p.pop()
		if t == nil {
			if !p.park(w) {
				return
			}
			<-w.wake
			if w.retire {
				return
			}
			woken = true
			continue
		}
		p.running++
		other, start := p.recruit()
		p.mu.Unlock()
		p.rouse(other, start)
		p.run(t)
		p.mu.Lock()
		p.running--
		p.mu.Unlock()
	}
}

// park puts w among those that wait and reports true, or counts it as gone. p.mu is
// held and released.
func (p *Pool) park(w *worker) bool {
	defer p.mu.Unlock()
	if p.closed {
		p.leave()
		return false
	}
	w.since = time.Now()
	p.parked = append(p.parked, w)
	if !p.reaping {
		p.reaping = true
		if p.reaper == nil {
			p.reaper = time.AfterFunc(p.idle, p.reap)
		} else {
			p.reaper.Reset(p.idle)
		}
	}
	return true
}

// leave counts a worker as gone. p.mu is held.
func (p *Pool) leave() {
	p.workers--
	if p.closed && p.workers == 0 {
		close(p.gone)
	}
}

// reap ends the workers that have been parked for the idle time; those at the
// bottom have waited longest.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := time.Now().Add(-p.idle)
	n := 0
	for n < len(p.parked) && (p.closed || !p.parked[n].since.After(oldest)) {
		p.retire(p.parked[n])
		n++
	}
	p.parked = append(p.parked[:0], p.parked[n:]...)
	clear(p.parked[len(p.parked):cap(p.parked)])
	if p.reaping = len(p.parked) > 0; p.reaping {
		p.reaper.Reset(p.idle)
	}
}

// retire ends a parked worker. p.mu is held.
func (p *Pool) retire(w *worker) {
	w.retire = true
	w.wake <- struct{}{}
	p.leave()
}

// run runs one task and keeps the worker alive if it panics.
func (p *Pool) run(t Task) {
	defer func() {
		if v := recover(); v != nil && p.onPanic != nil {
			p.onPanic(v, debug.Stack())
		}
	}()
	t.Run()
}

// push appends to the ring. p.mu is held.
func (p *Pool) push(t Task) {
	if p.queued == len(p.queue) {
		ring := make([]Task, max(16, 2*len(p.queue)))
		n := copy(ring, p.queue[p.head:])
		copy(ring[n:], p.queue[:p.head])
		p.queue, p.head = ring, 0
	}
	p.queue[(p.head+p.queued)%len(p.queue)] = t
	p.queued++
}

// pop takes the oldest task, or nil. p.mu is held.
func (p *Pool) pop() Task {
	if p.queued == 0 {
		return nil
	}
	t := p.queue[p.head]
	p.queue[p.head] = nil
	p.head = (p.head + 1) % len(p.queue)
	p.queued--
	return t
}

// Close refuses further tasks. Those that are queued still run.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	if p.workers == 0 {
		close(p.gone)
	}
	for _, w := range p.parked {
		p.retire(w)
	}
	p.parked = nil
}

// Wait waits until Close was called and all goroutines of the pool have ended.
func (p *Pool) Wait(ctx context.Context) error {
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
