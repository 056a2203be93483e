package wsnet

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// stall sends to a peer that does not read until the kernel's buffers are full and
// much is pending, and returns how many bytes of frames it has sent.
func stall(tb testing.TB, e *end, payload []byte) (frames int64) {
	tb.Helper()
	buf := framed(payload)
	idle, last := 0, time.Duration(0)
	eventually(tb, "the socket takes no more", func() bool {
		for e.Pending() < 4*congested {
			if err := e.Send(buf); err != nil {
				tb.Fatal(err)
			}
			frames += int64(len(newFrame(opBinary, payload, false)))
		}
		if idle++; e.LastWrite() != last {
			idle, last = 0, e.LastWrite()
		}
		// Looks count, not the clock, which goes on while this process pauses.
		return idle > 30
	})
	for len(e.writable) > 0 { // of the kernel's buffers, which have grown meanwhile
		<-e.writable
	}
	return frames
}

// wantBytes reads exactly n bytes.
func wantBytes(tb testing.TB, conn net.Conn, n int64) {
	tb.Helper()
	r := newReader(conn)
	if got, err := io.CopyN(io.Discard, r.r, n); err != nil {
		tb.Fatalf("%d of %d bytes, then %v", got, n, err)
	}
	if extra := r.r.Buffered(); extra > 0 {
		tb.Fatalf("%d bytes too many", extra)
	}
}

func TestWritableComesOnceThePeerReadsAgain(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		for range 3 {
			n := stall(t, e, pattern(60_000))
			wantBytes(t, conn, n)
			receive(t, e.writable)
			eventually(t, "all is written", func() bool { return e.Pending() == 0 })
			if len(e.writable) > 0 {
				t.Fatal("writable twice")
			}
		}
	})
}

func TestWritableIsNotOwedBelowTheMark(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		c, _ := h.pair(t)
		for range 300 {
			c.mustSend(t, make([]byte, 100))
			receive(t, c.got)
		}
		if len(c.writable) > 0 {
			t.Error("writable without congestion")
		}
	})
}

// TestNoWritableIsLost has a sender that goes on only when it is told, against a peer
// that reads at its own speed.
func TestNoWritableIsLost(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		payload := pattern(50_000)
		frame := int64(len(newFrame(opBinary, payload, false)))
		const messages = 400
		read := make(chan error, 1)
		go func() { // ends with all bytes or conn; waited for below
			_, err := io.CopyN(io.Discard, conn, messages*frame)
			read <- err
		}()
		for range messages {
			for e.Pending() > 2*congested {
				receive(t, e.writable)
			}
			e.mustSend(t, payload)
		}
		if err := receive(t, read); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all is written", func() bool { return e.Pending() == 0 })
	})
}

// TestACongestedConnectionStillReads: what the peer sends comes while it reads
// nothing, and Close does not wait for it.
func TestACongestedConnectionStillReads(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		stall(t, e, pattern(60_000))
		p := server(0)
		conn.Write(sent(p, fin|opBinary, []byte("still read")))
		if got := receive(t, e.got); string(got) != "still read" {
			t.Fatalf("got %q", got)
		}
		e.Close(errStall)
		if err := e.wantEnd(t); err != errStall {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestOneGreatMessageToASlowReader(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		want := pattern(8 << 20) // the sender has no limit
		e.mustSend(t, want)
		op, got := newReader(conn).frame(t)
		if op != opBinary || !bytes.Equal([]byte(got), want) {
			t.Error("another message")
		}
		eventually(t, "all is written", func() bool { return e.Pending() == 0 })
		receive(t, e.writable)
	})
}
