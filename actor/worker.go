package actor

import (
	"runtime/debug"
	"time"
)

// worker is one goroutine of a Pool.
type worker struct {
	wake    chan struct{} // room for one token; one is sent for each time it is unparked
	retired bool          // set before the token: leave
	since   uint64        // guarded by the pool's mu: the epoch in which it parked
}

// work is the body of a worker.
func (p *Pool) work(w *worker) {
	running := false
	defer func() { // also when a task calls runtime.Goexit, with running still true
		p.mu.Lock()
		if running {
			p.running--
		}
		p.workers--
		p.checkGone()
		p.mu.Unlock()
	}()
	p.mu.Lock()
	p.waking = false
	for {
		t, ok := p.queue.pop()
		if !ok {
			if !p.park(w) {
				return
			}
			p.mu.Lock()
			p.waking = false
			continue
		}
		p.running++
		next := p.recruit()
		p.mu.Unlock()
		if next != nil {
			next.wake <- struct{}{}
		}
		running = true
		p.run(t)
		running = false
		p.mu.Lock()
		p.running--
	}
}

// run runs one task. The worker survives a panic of it.
func (p *Pool) run(t Task) {
	if p.onPanic != nil {
		defer func() {
			if v := recover(); v != nil {
				p.onPanic(v, debug.Stack())
			}
		}()
	}
	t.Run()
}

// park waits for work and reports true when it was woken for it, false when it is to
// leave. p.mu is held, and released.
func (p *Pool) park(w *worker) bool {
	if p.closed.Load() {
		p.mu.Unlock()
		return false
	}
	w.since = p.epoch
	p.parked = append(p.parked, w)
	if !p.reaping {
		p.reaping = true
		if p.reaper == nil {
			p.reaper = time.AfterFunc(p.idle, p.reap)
		} else {
			p.reaper.Reset(p.idle)
		}
	}
	p.mu.Unlock()
	<-w.wake
	return !w.retired
}

// reap is the tick of the pool's one timer: the workers that parked before the last
// tick leave. It ticks while workers are parked.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.parked) && p.parked[n].since < p.epoch {
		n++
	}
	p.retire(n)
	p.epoch++
	if p.reaping = len(p.parked) > 0; p.reaping {
		p.reaper.Reset(p.idle)
	}
}

// retire makes the n workers leave that have been parked longest. p.mu is held.
func (p *Pool) retire(n int) {
	for _, w := range p.parked[:n] {
		w.retired = true
		w.wake <- struct{}{}
	}
	left := copy(p.parked, p.parked[n:])
	clear(p.parked[left:])
	p.parked = p.parked[:left]
}
