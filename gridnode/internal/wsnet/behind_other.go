//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package wsnet

// Unread implements Conn: nobody knows here.
func (c *streamConn) Unread() bool { return false }

// Room implements Conn: nobody knows here.
func (c *streamConn) Room() bool { return false }

// Unacked implements Conn: nobody knows here.
func (c *streamConn) Unacked() int { return 0 }
