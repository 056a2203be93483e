package wsnet

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
)

var errStall, errTest = errors.New("stalled"), errors.New("test")

// patientClose is for tests that want a close frame to arrive, however slowly. It comes
// before the connections.
func patientClose(t *testing.T) {
	before := closeGrace
	closeGrace = patience
	t.Cleanup(func() { closeGrace = before })
}

func TestCloseTellsBothSides(t *testing.T) {
	patientClose(t)
	for _, tt := range []struct {
		err  error
		code uint16
	}{
		{nil, codeNormal}, {ErrClosed, codeNormal}, {errTest, codeGoingAway}, {io.EOF, codeGoingAway},
		{&ProtocolError{Code: codeTooBig}, codeTooBig}, {&CloseError{Code: 4000}, 4000}, {&PanicError{}, codeInternal},
	} {
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			forEachNetwork(t, func(t *testing.T, h *host) {
				c, s := h.pair(t)
				c.mustSend(t, []byte("x"))
				receive(t, c.got)
				eventually(t, "nothing pending", func() bool { return c.Pending() == 0 })
				c.Close(tt.err)
				want := tt.err
				if want == nil {
					want = ErrClosed
				}
				if err := c.wantEnd(t); err != want {
					t.Errorf("this side ended with %v", err)
				}
				wantPeerCode(t, s.wantEnd(t), tt.code)
				if err := c.Send(framed(nil)); err != want {
					t.Errorf("Send after the end: %v", err)
				}
			})
		})
	}
}

func TestTheFirstErrorCounts(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		c, _ := h.pair(t)
		c.Close(errTest)
		c.Close(errStall)
		c.Close(nil)
		if err := c.wantEnd(t); err != errTest {
			t.Errorf("ended with %v", err)
		}
		c.Close(errStall) // and nothing happens
	})
}

// TestCloseWithinMessage is the handler's own end: nothing more of the read comes.
func TestCloseWithinMessage(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		client, server := h.dial(t)
		c := h.start(t, client, nil)
		calls := 0
		s := h.start(t, server, func(e *end, _ []byte) error {
			calls++
			e.Close(errTest)
			return nil
		})
		for range 20 {
			_ = c.Send(framed([]byte("x")))
		}
		if err := s.wantEnd(t); err != errTest || calls != 1 {
			t.Errorf("ended with %v after %d messages", err, calls)
		}
		c.wantEnd(t)
	})
}

// TestCloseBeforeStartHasTheSocket: a handler that closes at once gets its Closed.
func TestCloseBeforeStartHasTheSocket(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		client, server := h.dial(t)
		e := newEnd(t, nil)
		err := client.Start(&h.net, func(c Conn) Handler {
			if err := c.Send(framed(nil)); err == nil {
				t.Error("Send before the connection is live")
			}
			c.Close(errTest)
			return e.bind(c)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.wantEnd(t); err != errTest {
			t.Errorf("ended with %v", err)
		}
		h.start(t, server, nil).wantEnd(t)
	})
}

// TestClosedComesAfterTheLastMessage, whoever ends the connection while messages are
// on their way: end checks it. Nothing may block, and nothing may be left.
func TestClosedComesAfterTheLastMessage(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		for i := range 60 {
			c, s := h.pair(t)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for range 1000 {
						if c.Send(framed(make([]byte, 100))) != nil {
							return
						}
					}
				})
			}
			ends := []func(){func() { c.Close(errTest) }, func() { s.Close(errTest) }}
			for j := range 1 + i%2 {
				wg.Go(ends[(i+j)%len(ends)])
			}
			wg.Go(func() { c.Close(errStall) })
			wg.Wait()
			c.wantEnd(t)
			s.wantEnd(t)
			if c.Send(framed(nil)) == nil {
				t.Fatal("Send after the end")
			}
		}
	})
}

// TestCloseDropsWhatIsPending and waits for nobody.
func TestCloseDropsWhatIsPending(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		stall(t, e, pattern(60_000))
		e.Close(errTest)
		if err := e.wantEnd(t); err != errTest {
			t.Errorf("ended with %v", err)
		}
		newReader(conn).r.WriteTo(io.Discard) // the end of the peer comes as well
	})
}

// A link that never goes live can tell the peer why, whose end may be live already.
func TestARefusalIsToldInACloseFrame(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		c, s := h.dial(t)
		e := h.start(t, s, echo)
		if err := c.WriteClose(t.Context(), "refused: credential"); err != nil {
			t.Error(err)
		}
		c.Close()
		err := e.wantEnd(t)
		wantPeerCode(t, err, codePolicy)
		if told := err.(*CloseError); told.Reason != "refused: credential" {
			t.Errorf("the reason is %q", told.Reason)
		}
	})
}
