//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"crypto/tls"
	"syscall"

	"golang.org/x/sys/unix"
)

// Behind implements Conn. A poller at work on the connection has taken what it has yet
// to account for: after a system call it may stand in the queue of the scheduler.
func (c *pollConn) Behind() bool {
	if !c.reading.TryLock() {
		return true
	}
	defer c.reading.Unlock()
	return unserved(c.conn.Hash(), c.Pending() > 0) // another's, if it has been closed
}

// Behind implements Conn.
func (c *streamConn) Behind() (behind bool) {
	bottom := c.conn
	if t, ok := bottom.(*tls.Conn); ok {
		bottom = t.NetConn()
	}
	if s, ok := bottom.(*socket); ok {
		bottom = s.Conn
	}
	if s, ok := bottom.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { behind = unserved(int(fd), c.Pending() > 0) }) // closed: not behind
		}
	}
	return behind
}

// unserved reports whether a socket has something that nobody has come for: bytes, its
// end, or room, if there is something to write.
func unserved(fd int, writing bool) bool {
	ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if writing {
		ask[0].Events |= unix.POLLOUT
	}
	n, _ := unix.Poll(ask, 0)
	return n > 0
}
