package memnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// behaviours are what the rest of the repository relies on in a net.Conn. Each runs
// over this network and over loopback TCP, which it stands in for.
var behaviours = []struct {
	name string
	run  func(t *testing.T, a, b net.Conn)
}{
	{"bytes arrive in order, both ways at once", bothWays},
	{"a read returns what is there", readReturnsWhatIsThere},
	{"a written buffer is the caller's again", bufferIsCallers},
	{"empty reads and writes return at once", emptyReadsAndWrites},
	{"writes of several goroutines do not mix", writesDoNotMix},
	{"close lets bytes arrive, then the end", closeThenEOF},
	{"writes to a closed peer fail soon", writesToClosedPeerFail},
	{"a half closed connection still reads", halfClosed},
	{"everything fails once closed", failsOnceClosed},
	{"close ends a waiting read and a waiting write", closeEndsWaiting},
	{"a past deadline beats bytes that are there", pastDeadlineBeatsBytes},
	{"a deadline ends a waiting read", deadlineEndsRead},
	{"a deadline ends a waiting write", deadlineEndsWrite},
	{"a deadline set later ends a waiting read", laterDeadlineEndsRead},
	{"a connection lives on after a deadline", livesOnAfterDeadline},
	{"read deadlines are not for writes nor the reverse", deadlinesAreSeparate},
	{"addresses mirror each other", addressesMirror},
	{"all methods may be called at once", allAtOnce},
}

func TestConformance(t *testing.T) {
	for _, b := range behaviours {
		t.Run(b.name, func(t *testing.T) {
			t.Run("memory", func(t *testing.T) {
				near, far := connect(t, New())
				b.run(t, near, far)
			})
			t.Run("loopback", func(t *testing.T) {
				near, far := loopback(t)
				b.run(t, near, far)
			})
		})
	}
}

func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err = new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

const soon = 20 * time.Millisecond

func bothWays(t *testing.T, a, b net.Conn) {
	data := pattern(1 << 20)
	var both sync.WaitGroup
	defer both.Wait()
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			if _, err := way[0].Write(data); err != nil {
				t.Errorf("Write: %v", err)
			}
		})
		both.Go(func() {
			got := make([]byte, len(data))
			if _, err := io.ReadFull(way[1], got); err != nil {
				t.Errorf("Read: %v", err)
			}
			if !bytes.Equal(got, data) {
				t.Error("other bytes were read than were written")
			}
		})
	}
}

func readReturnsWhatIsThere(t *testing.T, a, b net.Conn) {
	write(t, a, []byte("hello"))
	buf := make([]byte, 100)
	n, err := b.Read(buf)
	if err != nil || n == 0 || string(buf[:n]) != "hello"[:n] {
		t.Fatalf("Read = %q, %v", buf[:n], err)
	}
}

func bufferIsCallers(t *testing.T, a, b net.Conn) {
	buf := []byte("first")
	write(t, a, buf)
	copy(buf, "other")
	wantRead(t, b, []byte("first"))
}

func emptyReadsAndWrites(t *testing.T, a, _ net.Conn) {
	if n, err := a.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v", n, err)
	}
	if n, err := a.Write(nil); n != 0 || err != nil {
		t.Errorf("Write(nil) = %d, %v", n, err)
	}
}

func writesDoNotMix(t *testing.T, a, b net.Conn) {
	const writers, size = 8, 100 << 10
	var all sync.WaitGroup
	defer all.Wait()
	for w := range writers {
		all.Go(func() {
			if _, err := a.Write(bytes.Repeat([]byte{byte(w)}, size)); err != nil {
				t.Errorf("Write: %v", err)
			}
		})
	}
	buf := make([]byte, size)
	for range writers {
		if _, err := io.ReadFull(b, buf); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(buf, buf[:1]); n != size {
			t.Fatalf("only %d of %d bytes of one write came together", n, size)
		}
	}
}

func closeThenEOF(t *testing.T, a, b net.Conn) {
	write(t, a, []byte("last words"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	wantRead(t, b, []byte("last words"))
	for range 2 {
		if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("Read at the end = %d, %v", n, err)
		}
	}
}

func writesToClosedPeerFail(t *testing.T, a, b net.Conn) {
	a.Close()
	b.SetWriteDeadline(time.Now().Add(time.Minute))
	for {
		if _, err := b.Write(pattern(1 << 10)); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
				t.Fatalf("Write to a closed peer: %v", err)
			}
			return
		}
	}
}

func halfClosed(t *testing.T, a, b net.Conn) {
	if err := a.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("Read = %v, want EOF", err)
	}
	write(t, b, []byte("answer"))
	wantRead(t, a, []byte("answer"))
	if _, err := a.Write([]byte("x")); err == nil {
		t.Fatal("Write after CloseWrite worked")
	}
}

func failsOnceClosed(t *testing.T, a, _ net.Conn) {
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	_, readErr := a.Read(make([]byte, 1))
	_, writeErr := a.Write([]byte("x"))
	for what, err := range map[string]error{
		"Read": readErr, "Write": writeErr, "Close": a.Close(),
		"SetDeadline": a.SetDeadline(time.Time{}),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s = %v, want net.ErrClosed", what, err)
		}
	}
}

// fill writes until nothing more fits, and returns the last error.
func fill(c net.Conn) error {
	for {
		if _, err := c.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
	}
}

func closeEndsWaiting(t *testing.T, a, _ net.Conn) {
	errs := make(chan error, 2)
	var both sync.WaitGroup
	both.Go(func() {
		_, err := a.Read(make([]byte, 1))
		errs <- err
	})
	both.Go(func() { errs <- fill(a) })
	a.Close()
	both.Wait()
	for range 2 {
		if err := <-errs; !errors.Is(err, net.ErrClosed) {
			t.Errorf("it ended with %v, want net.ErrClosed", err)
		}
	}
}

func wantTimeout(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("it ended with %v, want a timeout", err)
	}
}

func pastDeadlineBeatsBytes(t *testing.T, a, b net.Conn) {
	write(t, a, []byte("hello"))
	wantRead(t, b, []byte("h")) // so that the rest is there
	b.SetDeadline(time.Unix(1, 0))
	_, err := b.Read(make([]byte, 1))
	wantTimeout(t, err)
	_, err = b.Write([]byte("x"))
	wantTimeout(t, err)
}

func deadlineEndsRead(t *testing.T, a, _ net.Conn) {
	start := time.Now()
	a.SetReadDeadline(start.Add(soon))
	_, err := a.Read(make([]byte, 1))
	wantTimeout(t, err)
	if took := time.Since(start); took < soon {
		t.Fatalf("it ended after %v, the deadline was %v", took, soon)
	}
}

func deadlineEndsWrite(t *testing.T, a, b net.Conn) {
	data := pattern(64 << 20)
	a.SetWriteDeadline(time.Now().Add(soon))
	n, err := a.Write(data)
	wantTimeout(t, err)
	a.Close()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, data[:n]) {
		t.Fatalf("Write said %d bytes, %d arrived; %v", n, len(got), err)
	}
}

func laterDeadlineEndsRead(t *testing.T, a, _ net.Conn) {
	a.SetReadDeadline(time.Now().Add(time.Hour))
	var reader sync.WaitGroup
	reader.Go(func() {
		_, err := a.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %v", err)
		}
	})
	a.SetReadDeadline(time.Now().Add(soon))
	reader.Wait()
}

func livesOnAfterDeadline(t *testing.T, a, b net.Conn) {
	a.SetDeadline(time.Unix(1, 0))
	_, err := a.Read(make([]byte, 1))
	wantTimeout(t, err)
	a.SetDeadline(time.Time{})
	write(t, a, []byte("there"))
	wantRead(t, b, []byte("there"))
	write(t, b, []byte("back"))
	wantRead(t, a, []byte("back"))
}

func deadlinesAreSeparate(t *testing.T, a, b net.Conn) {
	a.SetReadDeadline(time.Unix(1, 0))
	write(t, a, []byte("there"))
	a.SetReadDeadline(time.Time{})
	a.SetWriteDeadline(time.Unix(1, 0))
	write(t, b, []byte("back"))
	wantRead(t, a, []byte("back"))
	wantRead(t, b, []byte("there"))
}

func addressesMirror(t *testing.T, a, b net.Conn) {
	if a.LocalAddr().String() != b.RemoteAddr().String() || a.RemoteAddr().String() != b.LocalAddr().String() {
		t.Errorf("%v-%v and %v-%v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
	if network := a.LocalAddr().Network(); network != "tcp" {
		t.Errorf("Network() = %q", network)
	}
	if _, _, err := net.SplitHostPort(a.LocalAddr().String()); err != nil {
		t.Error(err)
	}
}

func allAtOnce(_ *testing.T, a, b net.Conn) {
	var all sync.WaitGroup
	for _, c := range []net.Conn{a, b} {
		for range 2 {
			all.Go(func() { io.Copy(io.Discard, c) })
			all.Go(func() { fill(c) })
			all.Go(func() {
				for i := range 100 {
					c.SetDeadline(time.Now().Add(time.Hour - time.Duration(i)))
				}
				c.Close()
			})
		}
	}
	all.Wait()
}
