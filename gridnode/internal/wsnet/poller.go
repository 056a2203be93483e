//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/lesismal/nbio"
)

const (
	// pollBuffer is what a poller reads into: a message of one full fragment, 64 KiB,
	// with its headers, and a bit.
	pollBuffer = 68 << 10

	// Which poller serves a connection is up to the number of its descriptor. So these
	// bound how many are opened to find one that a poller without a waker serves, where
	// one per poller is enough unless there are gaps, and one that a poller with few
	// connections serves.
	triesPerPoller = 64
	triesPerConn   = 4
)

var errNoDescriptor = errors.New("wsnet: no file descriptor that suits the pollers")

// poller is what this package adds to one of the engine's pollers: a read buffer, a
// way to wait, and a connection of the poller's own that shows when it has begun.
type poller struct {
	buf   []byte // the poller's goroutine reads into it
	open  []byte // and decrypts into this one; nil until a connection has TLS
	pause *pause
	waker *nbio.Conn
	far   *os.File       // the other end: a byte written here has the poller call back
	begun sync.WaitGroup // until it has

	conns atomic.Int64 // that it serves; it grows under the engine's placing

	// added counts the connections given to the poller, which looks at it before it
	// calls back: epoll orders the two, but only this shows the race detector that.
	added atomic.Int64
}

// newPollers returns one poller for each of n of the engine's. There is no way back
// once an engine has started: all that can fail is done before.
func newPollers(n int) ([]*poller, error) {
	all := make([]*poller, n)
	for range n {
		if err := addPoller(all); err != nil {
			discard(all)
			return nil, err
		}
	}
	return all, nil
}

// addPoller makes a poller for one of the engine's that has none among all yet.
func addPoller(all []*poller) error {
	near, far, err := socketpair()
	if err != nil {
		return err
	}
	defer near.Close()
	waker, suited, err := detachWhere(near, len(all)*triesPerPoller, func(fd int) bool {
		return fd < nbio.MaxOpenFiles && all[fd%len(all)] == nil
	})
	if err == nil && !suited {
		waker.Close()
		err = errNoDescriptor
	}
	if err != nil {
		far.Close()
		return err
	}
	p := &poller{buf: make([]byte, pollBuffer), waker: waker, far: far}
	waker.SetSession(p)
	all[waker.Hash()%len(all)] = p
	return nil
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

// plain returns what the poller's goroutine decrypts into.
func (p *poller) plain() []byte {
	if p.open == nil {
		p.open = make([]byte, pollBuffer)
	}
	return p.open
}

// begin hands the waker to the engine and makes it ready. The poller is in its loop
// when it has called back: nbio's pollers clear their own stop flag when they begin,
// so one that is stopped before spins for ever, and Stop never returns (nbio 1.6.9,
// readWriteLoop).
func (p *poller) begin(e *engine) {
	p.begun.Add(1)
	err := e.add(p.waker)
	if err == nil {
		_, err = p.far.Write([]byte{0})
	}
	if err != nil {
		p.begun.Done()
	}
}

// onReadable is called once, for begin's byte.
func (p *poller) onReadable() {
	var b [1]byte
	if n, _ := p.waker.Read(b[:]); n > 0 {
		p.begun.Done()
		p.pause.wait(none{})
	}
}

func (p *poller) written(int)   {}
func (p *poller) onClose(error) { p.far.Close() }
