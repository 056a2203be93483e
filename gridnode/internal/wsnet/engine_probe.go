//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/lesismal/nbio"
)

// probes tell when each poller of a new engine is in its loop. nbio's pollers clear
// their own stop flag when they begin: one that is stopped before spins for ever,
// and Stop never returns (nbio 1.6.9, readWriteLoop).
//
// A poller has begun when it has seen the end of a connection. Which one serves a
// connection is up to its file descriptor, so there are probes until each has one.
// They are opened before the engine starts, as there is no way back after that.
type probes struct {
	local  []*nbio.Conn
	remote []*os.File
	begun  sync.WaitGroup
}

// probesPerPoller bounds how many there are.
const probesPerPoller = 64

// openProbes makes probes for n pollers.
func openProbes(n int) (*probes, error) {
	p := &probes{}
	served := make(map[int]bool)
	for len(served) < n {
		fd, err := p.open()
		if err == nil && (fd >= nbio.MaxOpenFiles || len(p.local) > n*probesPerPoller) {
			err = fmt.Errorf("wsnet: too many open files: %d", fd)
		}
		if err != nil {
			for _, c := range p.local {
				c.Close()
			}
			p.end()
			return nil, err
		}
		served[fd%n] = true
	}
	return p, nil
}

// open makes one, which keeps its descriptor until the end, and returns that.
func (p *probes) open() (fd int, err error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, os.NewSyscallError("socketpair", err)
	}
	p.remote = append(p.remote, os.NewFile(uintptr(pair[1]), ""))
	file := os.NewFile(uintptr(pair[0]), "")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return 0, err
	}
	local, err := detach(conn)
	if err != nil {
		return 0, err
	}
	local.SetSession((*probe)(p))
	p.local = append(p.local, local)
	return local.Hash(), nil
}

// watch gives the probes to the engine. One that it does not take has nothing to
// tell.
func (p *probes) watch(engine *nbio.Engine) {
	for _, c := range p.local {
		p.begun.Add(1)
		if _, err := engine.AddConn(c); err != nil {
			p.begun.Done()
		}
	}
}

// end closes the remote ends, and waits for the pollers to see it.
func (p *probes) end() {
	for _, f := range p.remote {
		f.Close()
	}
	p.begun.Wait()
}

// probe is the session of a probe's connection.
type probe probes

func (p *probe) onData([]byte) {}
func (p *probe) written(int)   {}
func (p *probe) onClose(error) { p.begun.Done() }
