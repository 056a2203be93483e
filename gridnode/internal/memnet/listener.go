package memnet

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// backlog is how many connections may wait to be accepted, by listener.
const backlog = 128

type listener struct {
	// Immutable once bound:
	net  *Network
	addr Addr

	mu      sync.Mutex
	waiting []*Conn // oldest first
	closed  bool
	changed event // of waiting and closed
}

func (l *listener) Addr() net.Addr { return l.addr }

// Accept returns the next connection. It may have ended already.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed {
			return nil, l.fail("accept")
		}
		if len(l.waiting) > 0 {
			c := l.waiting[0]
			l.waiting = slices.Delete(l.waiting, 0, 1)
			l.changed.fire()
			return c, nil
		}
		l.changed.park(&l.mu, time.Time{})
	}
}

// Close frees the address and resets the connections that nobody has accepted.
func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.fail("close")
	}
	l.closed = true
	left := l.waiting
	l.waiting = nil
	l.changed.fire()
	l.mu.Unlock()
	l.net.unbind(l)
	for _, c := range left {
		c.abort()
	}
	return nil
}

// offer hands a connection over to Accept.
func (l *listener) offer(ctx context.Context, c *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.waiting) >= backlog {
		if err := l.changed.parkContext(&l.mu, ctx); err != nil {
			return err
		}
	}
	if l.closed {
		return syscall.ECONNREFUSED
	}
	l.waiting = append(l.waiting, c)
	l.changed.fire()
	return nil
}

func (l *listener) fail(op string) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}
