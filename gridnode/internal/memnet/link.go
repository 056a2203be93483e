package memnet

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Link is what lies between two hosts, both directions of it. What its methods do
// holds for the connections of the link that exist and for those to come, until it
// is undone. All methods may be called concurrently.
//
// Its mutex guards also everything of its connections that is not immutable. Nobody
// waits with it held.
type Link struct {
	mu          sync.Mutex
	conns       []*Conn // the dialled end of each that lives, oldest first: faults hit them in order
	changed     event   // of stalled and partitioned
	delay       time.Duration
	rate        int // bytes per second; 0: no limit
	stalled     bool
	partitioned bool
	cutIn       countdown
	corruptIn   countdown
	passed      int
}

func newLink() *Link { return &Link{cutIn: off, corruptIn: off} }

// countdown is a number of bytes until something happens.
type countdown int

const off countdown = -1

// pass counts n bytes, n > 0. It reports after how many of them the countdown
// reached zero, if it did; then it is off.
func (c *countdown) pass(n int) (at int, due bool) {
	if *c < 0 {
		return 0, false
	}
	if n < int(*c) {
		*c -= countdown(n)
		return 0, false
	}
	at = int(*c)
	*c = off
	return at, true
}

// Cut breaks the connections of the link at once. New ones can be made.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutLocked()
}

// CutAfter is a Cut that comes when that many bytes more have arrived, all
// connections and both directions counted together; with 0, in place of the next
// byte. It happens once. A negative number calls it off.
func (l *Link) CutAfter(bytes int) { l.change(func() { l.cutIn = countdown(max(bytes, -1)) }) }

// Corrupt inverts the bits of one byte: the nth to arrive from now on, counted as for
// CutAfter, so that Corrupt(1) hits the next. A number that is not positive calls it
// off.
func (l *Link) Corrupt(nth int) {
	at := off
	if nth > 0 {
		at = countdown(nth)
	}
	l.change(func() { l.corruptIn = at })
}

// Delay makes every byte arrive d later; 0 ends it.
func (l *Link) Delay(d time.Duration) { l.change(func() { l.delay = max(d, 0) }) }

// Throttle limits each direction of each connection; 0 ends it.
func (l *Link) Throttle(bytesPerSecond int) { l.change(func() { l.rate = max(bytesPerSecond, 0) }) }

// Stall makes nothing arrive any more, neither bytes nor the end of a connection, and
// makes dials wait. Connections stay up.
func (l *Link) Stall() { l.change(func() { l.stalled = true }) }

// Resume ends Stall. What was held back arrives now.
func (l *Link) Resume() { l.change(func() { l.stalled = false }) }

// Partition breaks the connections of the link and lets none be made until Heal.
func (l *Link) Partition() {
	l.change(func() {
		l.partitioned = true
		l.cutLocked()
	})
}

// Heal ends Partition.
func (l *Link) Heal() { l.change(func() { l.partitioned = false }) }

// Passed returns how many bytes have arrived over the link so far, counted as for
// CutAfter: run once, then cut at each offset below.
func (l *Link) Passed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed
}

// change changes the link and makes its consequences happen.
func (l *Link) change(set func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set()
	l.changed.fire()
	for _, c := range slices.Clone(l.conns) { // a cut that is due empties conns
		c.out.restart()
		c.in.restart()
	}
}

func (l *Link) cutLocked() {
	conns := l.conns
	l.conns = nil
	for _, c := range conns {
		c.resetLocked()
	}
}

// connect makes a connection; the near end is local's.
func (l *Link) connect(ctx context.Context, local, remote Addr, window int) (near, far *Conn, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	for l.stalled && !l.partitioned {
		if err := l.changed.parkContext(&l.mu, ctx); err != nil {
			return nil, nil, err
		}
	}
	if l.partitioned {
		return nil, nil, syscall.ENETUNREACH
	}
	near, far = newPair(l, local, remote, window)
	l.conns = append(l.conns, near)
	return near, far, nil
}

// forgetLocked drops a connection of which c is one end.
func (l *Link) forgetLocked(c *Conn) {
	l.conns = slices.DeleteFunc(l.conns, func(o *Conn) bool { return o == c || o == c.peer })
}
