package wsnet

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel may hold that it has not sent yet. Its own
// buffers grow to megabytes, behind which a tiny frame would wait on a slow link.
const unsent = 512 << 10

// tuneSocket sets TCP_NOTSENT_LOWAT and SO_OOBINLINE: urgent data is data like any other.
// Else a peer's urgent byte, which nobody reads, would be an event (EPOLLPRI) for ever, for
// which its poller spins.
func tuneSocket(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	})
}

// unacked returns how many bytes a socket holds that the peer's has not taken. It has room
// again only when a third of what it may hold has gone: some 300 KiB.
func unacked(fd int) int {
	n, _ := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return n
}
