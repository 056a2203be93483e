//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"crypto/tls"
	"syscall"

	"golang.org/x/sys/unix"
)

// Unread implements Conn. A poller at work on the connection has taken what it has yet
// to account for: after a system call it may stand in the queue of the scheduler.
func (c *pollConn) Unread() bool {
	if !c.reading.TryLock() {
		return true
	}
	defer c.reading.Unlock()
	return ready(c.conn.Hash(), unix.POLLIN) // another's, if it has been closed
}

// Room implements Conn.
func (c *pollConn) Room() bool { return c.Pending() > 0 && ready(c.conn.Hash(), unix.POLLOUT) }

// Unacked implements Conn.
func (c *pollConn) Unacked() int { return unacked(c.conn.Hash()) }

// Unread implements Conn.
func (c *streamConn) Unread() (unread bool) {
	c.descriptor(func(fd int) { unread = ready(fd, unix.POLLIN) })
	return unread
}

// Room implements Conn.
func (c *streamConn) Room() (room bool) {
	if c.Pending() > 0 {
		c.descriptor(func(fd int) { room = ready(fd, unix.POLLOUT) })
	}
	return room
}

// Unacked implements Conn.
func (c *streamConn) Unacked() (n int) {
	c.descriptor(func(fd int) { n = unacked(fd) })
	return n
}

// descriptor calls look with the socket at the bottom, if there is one and it is open.
func (c *streamConn) descriptor(look func(fd int)) {
	bottom := c.conn
	if t, ok := bottom.(*tls.Conn); ok {
		bottom = t.NetConn()
	}
	if s, ok := bottom.(*socket); ok {
		bottom = s.Conn
	}
	if s, ok := bottom.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { look(int(fd)) })
		}
	}
}

// ready reports whether a socket has what events ask for, or its end.
func ready(fd int, events int16) bool {
	ask := []unix.PollFd{{Fd: int32(fd), Events: events}}
	n, _ := unix.Poll(ask, 0)
	return n > 0
}
