package wsnet

import (
	"errors"
	"io"
	"net"
	"testing"
)

// tcpBelow is the TCP connection under whatever is around it.
func tcpBelow(conn net.Conn) *net.TCPConn {
	switch c := below(conn).(type) {
	case wrapped:
		return c.Conn.(*net.TCPConn)
	case *net.TCPConn:
		return c
	}
	return nil
}

func TestAPeerThatVanishesEndsTheConnection(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		for _, reset := range []bool{false, true} {
			conn, e := h.raw(t, nil)
			conn.Write(sent(server(0), fin|opBinary, []byte("last")))
			receive(t, e.got)
			if tcp := tcpBelow(conn); tcp != nil && reset {
				tcp.SetLinger(0)
			}
			below(conn).Close()
			err := e.wantEnd(t)
			if err == nil || errors.As(err, new(*CloseError)) {
				t.Errorf("reset %v: ended with %v", reset, err)
			}
			if err := e.Send(framed(nil)); err == nil {
				t.Error("Send after the end")
			}
		}
	})
}

// TestAPeerThatVanishesUnderLoad is seen by Send or by the reading, whichever comes
// first; both say why.
func TestAPeerThatVanishesUnderLoad(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		for range 5 {
			conn, e := h.raw(t, nil)
			stall(t, e, pattern(60_000))
			if tcp := tcpBelow(conn); tcp != nil {
				tcp.SetLinger(0)
			}
			below(conn).Close()
			var sending error
			eventually(t, "Send fails", func() bool { sending = e.Send(framed(nil)); return sending != nil })
			if errors.Is(sending, net.ErrClosed) {
				t.Errorf("Send blames this side: %v", sending)
			}
			if err := e.wantEnd(t); errors.Is(err, net.ErrClosed) {
				t.Errorf("the end blames this side: %v", err)
			}
		}
	})
}

// TestAHalfClosedPeerEndsTheConnection: there is no half-open WebSocket.
func TestAHalfClosedPeerEndsTheConnection(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		if !h.tcp {
			h = newWrapped(t) // a pipe has no half
		}
		conn, e := h.raw(t, echo)
		r := newReader(conn)
		conn.Write(sent(server(0), fin|opBinary, []byte("last")))
		r.wantFrame(t, opBinary, "last")
		if err := tcpBelow(conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := e.wantEnd(t); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("ended with %v", err)
		}
		if h.options.TLS == nil {
			r.wantEOF(t)
		}
	})
}
