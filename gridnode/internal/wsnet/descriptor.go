//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"net"
	"os"
	"syscall"

	"github.com/lesismal/nbio"
)

// detachWhere makes an nbio connection of a socket, which stays open, with a
// descriptor that suits. It tries so many numbers, and returns the last if none does:
// those before stay taken meanwhile, so that others come up.
func detachWhere(socket *os.File, tries int, suits func(fd int) bool) (c *nbio.Conn, suited bool, err error) {
	var inVain []*nbio.Conn
	defer func() {
		for _, c := range inVain {
			c.Close()
		}
	}()
	for {
		if c, err = detachFile(socket); err != nil {
			return nil, false, err
		}
		if suits(c.Hash()) {
			return c, true, nil
		}
		if tries--; tries <= 0 {
			return c, false, nil
		}
		inVain = append(inVain, c)
	}
}

// detachFile makes an nbio connection of a socket, which stays open. nbio duplicates the
// descriptor without care for child processes, in which it would keep a dead
// connection open.
func detachFile(socket *os.File) (*nbio.Conn, error) {
	conn, err := net.FileConn(socket)
	if err != nil {
		return nil, err
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	nbc, err := nbio.NBConn(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	syscall.CloseOnExec(nbc.Hash())
	return nbc, nil
}

// socketpair returns the two ends of a connection within this process.
func socketpair() (near, far *os.File, err error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(pair[0]), "waker"), os.NewFile(uintptr(pair[1]), "waker"), nil
}
