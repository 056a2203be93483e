package wsnet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
)

func TestEchoOfAllSizes(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		c, _ := h.pair(t)
		for _, n := range lengths {
			c.mustSend(t, pattern(n))
			if got := receive(t, c.got); !bytes.Equal(got, pattern(n)) {
				t.Fatalf("%d bytes came back as %d, or others", n, len(got))
			}
		}
		eventually(t, "nothing pending", func() bool { return c.Pending() == 0 })
	})
}

func TestThousandsOfMessagesKeepTheirOrder(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		const n = 5000
		c, s := h.pair(t)
		buf := make([]byte, HeaderSpace+8+300)
		for i := range n {
			size := 8 + i%300
			binary.BigEndian.PutUint64(buf[HeaderSpace:], uint64(i))
			if err := c.Send(buf[:HeaderSpace+size]); err != nil { // reused at once: Send keeps nothing
				t.Fatal(err)
			}
		}
		for i := range n {
			got := receive(t, c.got)
			if len(got) != 8+i%300 || binary.BigEndian.Uint64(got) != uint64(i) {
				t.Fatalf("message %d: %d bytes, number %d", i, len(got), binary.BigEndian.Uint64(got))
			}
		}
		eventually(t, "nothing pending", func() bool { return c.Pending() == 0 && s.Pending() == 0 })
		if b := s.batches.Load(); b == 0 || b > n {
			t.Errorf("%d batches of %d messages", b, n)
		}
	})
}

func TestSendersDoNotMixTheirFrames(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		const senders, each = 8, 200
		c, _ := h.pair(t)
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					payload := bytes.Repeat([]byte{byte(s)}, 2+(s*37+i*11)%2000)
					payload[1] = byte(i)
					if err := c.Send(framed(payload)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		var next [senders]byte
		for range senders * each {
			got := receive(t, c.got)
			s := got[0]
			if got[1] != next[s] {
				t.Fatalf("sender %d: message %d, want %d", s, got[1], next[s])
			}
			next[s]++
			got[1] = s
			if !bytes.Equal(got, bytes.Repeat([]byte{s}, len(got))) {
				t.Fatalf("sender %d: bytes of another", s)
			}
		}
	})
}

// TestBothSidesAtOnce has full load in both directions: neither side's writing may
// wait for its reading.
func TestBothSidesAtOnce(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		const n, size = 200, 20_000
		c, s := h.dial(t)
		ends := []*end{h.start(t, c, nil), h.start(t, s, nil)}
		var wg sync.WaitGroup
		for i, e := range ends {
			wg.Go(func() {
				for j := range n {
					if err := e.Send(framed(fmt.Appendf(nil, "%d/%d/%0*d", i, j, size, 0))); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		for i, e := range ends {
			for j := range n {
				if got := receive(t, e.got); !bytes.HasPrefix(got, fmt.Appendf(nil, "%d/%d/", 1-i, j)) {
					t.Fatalf("message %d is %q", j, got[:20])
				}
			}
		}
	})
}

func TestClocksTellOfReadsAndWrites(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		before := Now()
		c, s := h.pair(t)
		if c.LastRead() < before || c.LastWrite() < before || c.LastRead() > Now() {
			t.Error("a new connection has times before its own")
		}
		started := Now()
		c.mustSend(t, []byte("x"))
		receive(t, c.got)
		for _, e := range []*end{c, s} {
			eventually(t, "the times move on", func() bool { return e.LastRead() >= started && e.LastWrite() >= started })
		}
		if at := Time(started); at.Before(Time(before)) {
			t.Error("times of the clock do not follow it")
		}
	})
}
