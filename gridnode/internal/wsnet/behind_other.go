//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package wsnet

// Behind implements Conn: nobody knows here.
func (c *streamConn) Behind() bool { return false }
