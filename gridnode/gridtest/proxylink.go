package gridtest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// proxyLink is the state of the link between two addresses on loopback.
type proxyLink struct {
	mu          sync.Mutex
	proxies     map[*proxy]struct{}
	changed     chan struct{} // closed and replaced at each change of what follows
	delay       time.Duration
	rate        int // bytes per second; 0: no limit
	stalled     bool
	partitioned bool
	left        int // bytes until the cut; 0: it comes now; negative: none is due
}

func newProxyLink() *proxyLink {
	return &proxyLink{proxies: make(map[*proxy]struct{}), changed: make(chan struct{}), left: -1}
}

// set changes the link and wakes those who wait for a change.
func (l *proxyLink) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *proxyLink) Delay(d time.Duration)       { l.set(func() { l.delay = d }) }
func (l *proxyLink) Throttle(bytesPerSecond int) { l.set(func() { l.rate = bytesPerSecond }) }
func (l *proxyLink) Stall()                      { l.set(func() { l.stalled = true }) }
func (l *proxyLink) Resume()                     { l.set(func() { l.stalled = false }) }
func (l *proxyLink) CutAfter(bytes int)          { l.set(func() { l.left = bytes }) }
func (l *proxyLink) Heal()                       { l.set(func() { l.partitioned = false }) }

func (l *proxyLink) Partition() {
	l.set(func() { l.partitioned = true })
	l.Cut()
}

func (l *proxyLink) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutLocked()
}

func (l *proxyLink) cutLocked() {
	for p := range l.proxies {
		p.reset()
	}
}

// cutNow is the cut that pass has announced, unless it was called off or done.
func (l *proxyLink) cutNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		l.left = -1
		l.cutLocked()
	}
}

// add counts a connection to the link; false if it is partitioned meanwhile.
func (l *proxyLink) add(p *proxy) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.partitioned {
		return false
	}
	l.proxies[p] = struct{}{}
	return true
}

func (l *proxyLink) remove(p *proxy) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.proxies, p)
}

// reachable is what a dial waits for: a stalled link lets none through, a
// partitioned one refuses.
func (l *proxyLink) reachable(ctx context.Context) error {
	for {
		l.mu.Lock()
		stalled, partitioned, changed := l.stalled, l.partitioned, l.changed
		l.mu.Unlock()
		switch {
		case partitioned:
			return errors.New("gridtest: network is unreachable")
		case !stalled:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// moving waits while the link is stalled; false if gone was closed before.
func (l *proxyLink) moving(gone <-chan struct{}) bool {
	for {
		l.mu.Lock()
		stalled, changed := l.stalled, l.changed
		l.mu.Unlock()
		if !stalled {
			return true
		}
		if !sleep(0, stalled, changed, gone) {
			return false
		}
	}
}

// await returns when the link lets a chunk through, with the time at which it did;
// zero if gone was closed before. last is what it returned for the chunk before.
func (l *proxyLink) await(gone <-chan struct{}, c chunk, last time.Time) time.Time {
	// A little lateness is made up for, so that timers do not cost rate.
	if start := time.Now().Add(-proxySlack); last.Before(start) {
		last = start
	}
	for {
		l.mu.Lock()
		delay, rate, stalled, changed := l.delay, l.rate, l.stalled, l.changed
		l.mu.Unlock()
		due := c.arrived.Add(delay)
		if rate > 0 {
			if paced := last.Add(time.Duration(len(c.data)) * time.Second / time.Duration(rate)); due.Before(paced) {
				due = paced
			}
		}
		wait := time.Until(due)
		if !stalled && wait <= 0 {
			return due
		}
		if !sleep(wait, stalled, changed, gone) {
			return time.Time{}
		}
	}
}

// sleep waits for d, for ever if the link is stalled, but no longer than until the
// next change; false if gone was closed.
func sleep(d time.Duration, stalled bool, changed, gone <-chan struct{}) bool {
	var expired <-chan time.Time
	if !stalled {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-expired:
	case <-changed:
	case <-gone:
		return false
	}
	return true
}

// pass counts n bytes against the cut that is due; it reports how many of them may
// pass and whether the caller is to call cutNow then. None pass until it does.
func (l *proxyLink) pass(n int) (allowed int, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left < 0 {
		return n, false
	}
	if n < l.left {
		l.left -= n
		return n, false
	}
	n, l.left = l.left, 0
	return n, true
}
