package wsnet

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// endless is a connection that always has something to read.
type endless struct{ fd, reads int }

func (e *endless) id() int { return e.fd }

func (e *endless) readNow() bool {
	e.reads++
	return true
}

// newTestPause returns a pause over an epoll instance, which has an event if that is
// written to.
func newTestPause(t *testing.T) (p *pause, event *os.File) {
	t.Helper()
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	event = os.NewFile(uintptr(fd), "event")
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		t.Fatal(err)
	}
	p = &pause{fd: epoll, file: os.NewFile(uintptr(epoll), "epoll"), score: spinScore}
	p.ready = p.look
	t.Cleanup(func() {
		p.close()
		event.Close()
	})
	return p, event
}

func raise(t *testing.T, event *os.File) {
	t.Helper()
	if _, err := event.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
}

// The others of its poller wait for no more than a turn of a connection that always has
// something.
func TestABusyConnectionLeavesItsPollerToTheOthers(t *testing.T) {
	p, event := newTestPause(t)
	raise(t, event)
	busy := endless{fd: 7}
	p.wait(&busy)
	if busy.reads != 0 {
		t.Errorf("%d reads before the event of another, which was there", busy.reads)
	}
	p.wait(&busy)
	if busy.reads != readsPerEvent {
		t.Errorf("%d reads before the event of another, want %d", busy.reads, readsPerEvent)
	}
}

// Where the last events were of two connections neither is read without one, and while
// more events are known to be there nothing is looked for.
func TestAConnectionIsReadWithoutAnEventOnlyIfItHadTheLastTwo(t *testing.T) {
	p, event := newTestPause(t)
	raise(t, event)
	a, b := endless{fd: 7}, endless{fd: 8}
	for range 5 {
		p.wait(&a)
		p.wait(&b)
	}
	p.coming = 2
	p.wait(&b)
	p.wait(&b)
	if a.reads+b.reads != 0 {
		t.Errorf("%d and %d reads", a.reads, b.reads)
	}
}
