package wsnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// wantPanic checks that a connection ended with a handler's panic.
func wantPanic(tb testing.TB, err error, value any) {
	tb.Helper()
	var recovered *PanicError
	if !errors.As(err, &recovered) || recovered.Value != value || !bytes.Contains(recovered.Stack, []byte("_test.go")) {
		tb.Fatalf("ended with %v, want the panic %v", err, value)
	}
}

func TestAPanicEndsThatConnectionOnly(t *testing.T) {
	patientClose(t)
	forEachNetwork(t, func(t *testing.T, h *host) {
		other, _ := h.pair(t)
		for _, where := range []string{"Message", "BatchEnd"} {
			c, s := h.dial(t)
			client := h.start(t, c, nil)
			bad := newEnd(t, func(*end, []byte) error {
				if where == "Message" {
					panic(where)
				}
				return nil
			})
			bad.batch = func() { panic(where) }
			if err := s.Start(&h.net, bad.bind); err != nil {
				t.Fatal(err)
			}
			client.mustSend(t, []byte("x"))
			wantPanic(t, bad.wantEnd(t), where)
			wantPeerCode(t, client.wantEnd(t), codeInternal)
			if err := bad.Send(framed(nil)); !errors.As(err, new(*PanicError)) {
				t.Errorf("Send after the panic: %v", err)
			}
		}
		other.mustSend(t, []byte("still here"))
		if got := receive(t, other.got); string(got) != "still here" {
			t.Errorf("the other connection got %q", got)
		}
	})
}

func TestAnErrorOfMessageEndsTheConnectionWithIt(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		c, s := h.dial(t)
		client, bad := h.start(t, c, nil), errors.New("bad message")
		calls := 0
		e := h.start(t, s, func(*end, []byte) error { calls++; return bad })
		for range 10 {
			_ = client.Send(framed([]byte("x")))
		}
		if err := e.wantEnd(t); err != bad {
			t.Errorf("ended with %v", err)
		}
		if calls != 1 {
			t.Errorf("%d messages after the error", calls-1)
		}
		client.wantEnd(t)
	})
}

// wantPeerCode checks that a connection ended with the peer's close frame. If bytes
// were on their way to the peer, TCP may have thrown the close frame away with them.
func wantPeerCode(tb testing.TB, err error, code uint16) {
	tb.Helper()
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		tb.Fatalf("ended with %v, want the peer's code %d", err, code)
	}
}

func closeFrame(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}
