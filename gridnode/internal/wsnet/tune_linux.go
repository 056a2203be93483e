package wsnet

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel may hold that it has not sent yet. Its own
// buffers grow to megabytes, behind which a tiny frame would wait on a slow link.
const unsent = 512 << 10

// limitUnsent sets TCP_NOTSENT_LOWAT.
func limitUnsent(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	})
}

// unacked returns how many bytes a socket holds that the peer's has not taken. It has room
// again only when a third of what it may hold has gone: some 300 KiB.
func unacked(fd int) int {
	n, _ := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return n
}
