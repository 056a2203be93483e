package memnet

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// whileWaiting does something while a read and a write of a wait, and checks what
// both end with.
func whileWaiting(t *testing.T, want error, do func(a, b *Conn)) {
	t.Helper()
	inBubble(t, func(t *testing.T, _ *Network, a, b *Conn) {
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, want) {
				t.Errorf("Read = %v, want %v", err, want)
			}
		})
		both.Go(func() {
			if err := fill(a); !errors.Is(err, want) {
				t.Errorf("Write = %v, want %v", err, want)
			}
		})
		synctest.Wait()
		do(a, b)
		synctest.Wait()
		both.Wait()
	})
}

func TestCloseEndsReadAndWriteThatWait(t *testing.T) {
	whileWaiting(t, net.ErrClosed, func(a, _ *Conn) { a.Close() })
}

func TestCloseEndsReadAndWriteThatWaitOverAStalledLink(t *testing.T) {
	whileWaiting(t, net.ErrClosed, func(a, _ *Conn) {
		a.link.Stall()
		a.Close()
	})
}

func TestDeadlineSetWhileReadAndWriteWaitEndsThem(t *testing.T) {
	whileWaiting(t, os.ErrDeadlineExceeded, func(a, _ *Conn) {
		wantAfter(t, 0, func() { a.SetDeadline(time.Unix(1, 0)) })
	})
}

func TestDeadlineMovedWhileReadWaitsCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *Network, a, _ *Conn) {
		a.SetReadDeadline(time.Now().Add(time.Second))
		later := time.AfterFunc(time.Second/2, func() { a.SetReadDeadline(time.Now().Add(time.Minute)) })
		defer later.Stop()
		wantAfter(t, time.Minute+time.Second/2, func() {
			_, err := a.Read(make([]byte, 1))
			wantTimeout(t, err)
		})
	})
}

func TestWritesDoNotMixWhenTheWindowIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers, size = 4, 500
		n := New()
		n.SetBuffer(7)
		a, b := connect(t, n)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() { write(t, a, bytes.Repeat([]byte{byte(w)}, size)) })
		}
		buf := make([]byte, writers*size)
		for i := range buf {
			synctest.Wait() // so that every writer has had its chance
			if _, err := b.Read(buf[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		all.Wait()
		for i := 0; i < len(buf); i += size {
			if got := bytes.Count(buf[i:i+size], buf[i:i+1]); got != size {
				t.Fatalf("only %d of %d bytes of one write came together", got, size)
			}
		}
	})
}

func TestUnreadBytesFillTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		n.SetBuffer(1000)
		a, b := connect(t, n)
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if wrote, err := a.Write(pattern(1500)); wrote != 1000 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write = %d, %v; want the window of 1000", wrote, err)
		}
		a.SetWriteDeadline(time.Time{})
		wantRead(t, b, pattern(1000)[:10])
		write(t, a, []byte("ten bytes!"))
	})
}

func TestBufferIsTheCallersWhileItsBytesAreOnTheirWay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Delay(time.Second)
		buf := []byte("first")
		write(t, a, buf)
		copy(buf, "other")
		wantRead(t, b, []byte("first"))
	})
}

func TestBytesForAClosedReaderFreeTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		n.SetBuffer(1000)
		a, b := connect(t, n)
		n.Link("a", "b").Delay(time.Hour)
		write(t, a, pattern(1000))
		<-time.After(time.Hour / 2)
		b.Close() // a learns of it an hour later
		wantAfter(t, time.Hour/2, func() { write(t, a, []byte("x")) })
	})
}

func TestBufferSizeHasADefault(t *testing.T) {
	n := New()
	n.SetBuffer(1)
	n.SetBuffer(0)
	a, _ := connect(t, n)
	write(t, a, pattern(defaultBuffer))
}
