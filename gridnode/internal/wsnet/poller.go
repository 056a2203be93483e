//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lesismal/nbio"
)

const (
	// spinFor is how long a poller goes on looking for events after the last read,
	// instead of waiting for them. To wake a processor that sleeps takes 30 us where
	// this was measured (a virtual machine): a lone caller had 70 to 130 us a call, and
	// has 22 to 28 with this. A round trip whose ends are both asleep must still fit
	// in: with 50 us the low latency did not come back after a disturbance.
	spinFor = 100 * time.Microsecond

	// A poller spins only where that pays. Its score is the spins that have caught
	// something less those that have not; at zero only one read in spinRetry is spun
	// after, for probeFor. That is longer, since two pollers that both wait make a round
	// trip so slow that no spin would catch its end: where the ends of a connection had
	// different pollers, one caller in three had 100 to 220 us a call, and two callers
	// 30 to 100, and they have 24 to 37 and 16 to 34. (A probe of spinFor after each 64th
	// read was not enough.)
	spinScore = 16
	spinRetry = 16
	probeFor  = 4 * spinFor

	// pollBuffer is what a poller reads into: a message of one full fragment, 64 KiB,
	// with its headers, and a bit.
	pollBuffer = 68 << 10

	// triesPerPoller bounds how many file descriptors are opened to find one that a
	// given poller serves. Where their numbers have no gaps one per poller is enough.
	triesPerPoller = 64
)

var errNoDescriptor = errors.New("wsnet: no file descriptor that suits the pollers")

// poller is what this package adds to one of the engine's pollers: a read buffer,
// and a connection of the poller's own that is ready to be read while the poller is
// to spin. All fields belong to the poller's goroutine once it has begun.
type poller struct {
	buf   []byte
	waker *nbio.Conn
	far   *os.File       // the other end: a byte written here makes the poller spin
	begun sync.WaitGroup // until the poller has called back once

	// added counts the connections given to the poller, which looks at it before it
	// calls back: epoll orders the two, but only this shows the race detector that.
	added atomic.Int64

	spinning bool
	started  bool
	last     time.Duration // the last read of a connection
	hits     int           // reads while spinning
	score    int
	cold     int // reads that were not spun after, since the last that was
}

// newPollers returns one poller for each of n of the engine's. There is no way back
// once an engine has started: all that can fail is done before.
func newPollers(n int) (all []*poller, err error) {
	all = make([]*poller, n)
	var spare []*nbio.Conn
	defer func() {
		for _, c := range spare {
			c.Close()
		}
	}()
	for range n {
		p, inVain, err := newPoller(all)
		spare = append(spare, inVain...)
		if err != nil {
			discard(all)
			return nil, err
		}
		all[p.waker.Hash()%n] = p
	}
	return all, nil
}

// newPoller returns a poller for one that has none among all yet. Which of them serves
// a connection is up to the number of its file descriptor: the numbers inVain have to
// stay taken for others to come up.
func newPoller(all []*poller) (p *poller, inVain []*nbio.Conn, err error) {
	near, far, err := socketpair()
	if err != nil {
		return nil, nil, err
	}
	defer near.Close()
	for range len(all) * triesPerPoller {
		c, err := detachFile(near)
		if err != nil {
			far.Close()
			return nil, inVain, err
		}
		if fd := c.Hash(); fd < nbio.MaxOpenFiles && all[fd%len(all)] == nil {
			p = &poller{buf: make([]byte, pollBuffer), waker: c, far: far}
			c.SetSession(p)
			return p, inVain, nil
		}
		inVain = append(inVain, c)
	}
	far.Close()
	return nil, inVain, errNoDescriptor
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

// detachFile makes an nbio connection of a socket, which stays open.
func detachFile(socket *os.File) (*nbio.Conn, error) {
	conn, err := net.FileConn(socket)
	if err != nil {
		return nil, err
	}
	return detach(conn)
}

// discard closes pollers that are not the engine's; any may be nil.
func discard(all []*poller) {
	for _, p := range all {
		if p != nil {
			p.waker.Close()
			p.far.Close()
		}
	}
}

// begin hands the waker to the engine and makes it ready. The poller is in its loop
// when it has called back: nbio's pollers clear their own stop flag when they begin,
// so one that is stopped before spins for ever, and Stop never returns (nbio 1.6.9,
// readWriteLoop). After the write the fields are the poller's.
func (p *poller) begin(e *engine) {
	p.begun.Add(1)
	p.spinning = true
	err := e.add(p.waker)
	if err == nil {
		_, err = p.far.Write([]byte{0})
	}
	if err != nil {
		p.begun.Done()
	}
}

// wake makes the poller spin. It runs on the poller's goroutine.
func (p *poller) wake() {
	_, err := p.far.Write([]byte{0})
	p.spinning = err == nil
}

// hasRead notes that a connection of this poller was read.
func (p *poller) hasRead() {
	p.last = Now()
	if p.spinning {
		p.hits++
		return
	}
	if p.score == 0 {
		if p.cold++; p.cold < spinRetry {
			return
		}
	}
	p.cold, p.hits = 0, 0
	p.wake()
}

// onReadable is called in each round of the poller while it spins.
func (p *poller) onReadable() {
	if !p.started {
		p.started = true
		p.begun.Done()
	}
	if Now()-p.last < p.patience() {
		runtime.Gosched() // to those whom the reads have woken
		return
	}
	var b [1]byte
	_, _ = p.waker.Read(b[:])
	p.spinning = false
	if p.hits > 0 {
		p.score = min(p.score+1, spinScore)
	} else {
		p.score = max(p.score-1, 0)
	}
}

// patience is how long after a read the poller goes on spinning.
func (p *poller) patience() time.Duration {
	if p.score == 0 {
		return probeFor
	}
	return spinFor
}

func (p *poller) written(int)   {}
func (p *poller) onClose(error) { p.far.Close() }
