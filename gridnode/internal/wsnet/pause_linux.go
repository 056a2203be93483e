package wsnet

import (
	"os"
	"reflect"
	"runtime"
	"syscall"
	"time"

	"github.com/lesismal/nbio"
	"golang.org/x/sys/unix"
)

const (
	// spinFor is how long a poller goes on looking for events before it waits for them.
	// To wake a processor that sleeps takes 30 us and more where this was measured (a
	// virtual machine). A lone caller had 53 us a call without, 44 with 25 us, 35 with 50,
	// and has 27 to 32 with 100 or 200; between two processes 180 without, 44 to 50 with
	// 100, and 30 to 48 with 200.
	spinFor = 200 * time.Microsecond

	// A poller spins only where that pays: each spin is time that others do not have. Its
	// score is the spins that have caught something, less missCost for each that has not.
	// At zero only one wait in probeEvery is spun before, for probeFor: while both ends
	// wait, a round trip takes so long that a spin of 100 us does not catch its end. With
	// another process busy on one of two processors a lone caller has 61 us a call
	// without spins, 150 if every wait is spun before, and 86 so.
	spinScore  = 64
	missCost   = 2
	probeEvery = 16
	probeFor   = 2 * spinFor
)

// pause waits for the events of one of nbio's pollers in the runtime's own poller, as a
// goroutine that reads from a socket does. nbio itself waits in a raw epoll_wait that
// keeps the processor: what the last events have woken stays in the queue of that
// processor until the runtime notices, after 20 us to 10 ms, and with as many pollers as
// processors none is left to run anything else. Where the ends of a connection had
// different pollers, 16 callers had 9.6 us a call and have 5.5, 512 had 3.9 and have 2.7.
//
// An epoll descriptor is readable while it has events (epoll(7)), so the runtime's can
// hold it. All but close is the poller's goroutine's.
type pause struct {
	fd    int      // nbio's epoll instance, by a descriptor of our own
	file  *os.File // of fd
	raw   syscall.RawConn
	ready func(fd uintptr) bool // look, made once: a method value per call would be garbage

	events [64]unix.EpollEvent // of the last look
	coming int                 // reads that look has seen coming, but for the first
	last   int                 // the id of what was waited for last: a connection would be kept beyond its end
	score  int
	unspun int // waits in a row that were not spun before
}

// newPause returns the pause of the engine's ith poller. The descriptor is a private
// field of nbio: if that is not there, or no descriptor is left, nbio waits as it does
// without us, which is slower and still right.
func newPause(e *nbio.Engine, i int) *pause {
	fd, ok := epollDescriptor(e, i)
	if !ok {
		return nil
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	_ = unix.SetNonblock(own, true) // so that os.NewFile gives it to the runtime's poller
	p := &pause{fd: own, file: os.NewFile(uintptr(own), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil
	}
	p.ready = p.look
	return p
}

func epollDescriptor(e *nbio.Engine, i int) (fd int, ok bool) {
	pollers := reflect.ValueOf(e).Elem().FieldByName("pollers")
	if pollers.Kind() != reflect.Slice || i >= pollers.Len() {
		return 0, false
	}
	poller := reflect.Indirect(pollers.Index(i))
	if poller.Kind() != reflect.Struct {
		return 0, false
	}
	descriptor := poller.FieldByName("epfd")
	if descriptor.Kind() != reflect.Int {
		return 0, false
	}
	return int(descriptor.Int()), true
}

// look reports whether the poller has events. It takes nothing away: nbio's epoll is
// level-triggered.
func (p *pause) look(fd uintptr) bool {
	n, err := unix.EpollWait(int(fd), p.events[:], 0)
	reads := 0
	for i := range max(n, 0) {
		if p.events[i].Events&unix.EPOLLIN != 0 {
			reads++
		}
	}
	p.coming = max(reads-1, 0)
	return n > 0 || err != nil
}

// source is a connection that can be read without an event.
type source interface {
	// id tells connections apart, more or less: it is the descriptor.
	id() int
	// readNow reads once what is there, and reports whether there was something.
	readNow() bool
}

// wait is called after the reads of c for an event, with none if its turn was used up
// before it was empty, and returns when the poller has events. With n reads to come it
// does not look again after the first n-1: that saves a system call each. If one of them
// does not come, since the connection is closed, nbio waits by itself once.
//
// A connection that has had the last two events is likely to have the next. It is read
// without one, which saves two looks, nbio's and ours: a lone caller has 0.82 of the time
// so, a stream's ping-pong 0.8, 16 callers 0.9. Where events come from many it would be
// a system call for nothing.
func (p *pause) wait(c source) {
	if p == nil {
		return
	}
	again := c.id() == p.last
	p.last = c.id()
	if p.coming > 0 {
		p.coming--
		return
	}
	if !again || p.score == 0 {
		if p.ready(uintptr(p.fd)) {
			return
		}
		c = none{}
	}
	if p.spins() && p.spin(c) {
		return
	}
	_ = p.raw.Read(p.ready) // after an error nbio's own wait is next
}

// none is a source that never has anything.
type none struct{}

func (none) id() int       { return -1 }
func (none) readNow() bool { return false }

// spins decides whether to spin before this wait.
func (p *pause) spins() bool {
	if p.score > 0 {
		return true
	}
	if p.unspun++; p.unspun < probeEvery {
		return false
	}
	p.unspun = 0
	return true
}

// spin looks for events for a while, and reports whether there were some. What c has is
// read meanwhile, of which others wait for no more than readsPerEvent reads. It yields
// to those whom the last events have woken.
func (p *pause) spin(c source) bool {
	patience := spinFor
	if p.score == 0 {
		patience = probeFor
	}
	reads := 0
	for end := Now() + patience; Now() < end; {
		if c.readNow() {
			p.hit()
			end = Now() + spinFor
			if reads++; reads%readsPerEvent != 0 {
				continue
			}
		}
		if p.ready(uintptr(p.fd)) {
			p.hit()
			return true
		}
		runtime.Gosched()
	}
	p.score = max(p.score-missCost, 0)
	return false
}

// hit counts something that a spin has caught.
func (p *pause) hit() { p.score = min(p.score+1, spinScore) }

// close gives the descriptor back, once the poller has ended.
func (p *pause) close() {
	if p != nil {
		p.file.Close()
	}
}
