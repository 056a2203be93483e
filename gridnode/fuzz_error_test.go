package gridnode

import (
	"context"
	"errors"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// sentinels are what callers match errors against.
var sentinels = []error{
	ErrDisconnected, ErrNotSent, ErrUnknownHandler, ErrOverloaded, ErrClosed, ErrMessageTooLarge, ErrProtocol, ErrPanic,
	ErrHandlerExists, context.Canceled, context.DeadlineExceeded, errTestStock,
}

// FuzzErrorDecode makes a status with any code and text arrive for a call, and wants an
// error that can be matched and passed on.
func FuzzErrorDecode(f *testing.F) {
	for code := range uint32(45) {
		f.Add(code, []byte("some text"))
	}
	for _, code := range []uint32{999, 1000, uint32(codeTestStock), uint32(codeTestTyped), uint32(codeTestBusy), 1<<32 - 1} {
		for _, text := range []string{"", "remote: nested", "\xff\x00\xfe", "line\nline", string(make([]byte, 70_000))} {
			f.Add(code, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, code uint32, text []byte) {
		s, _ := live(t, Config{}, nil)
		s.conn.receive(connEvent{kind: eventAttached, session: s})
		s.mu.Lock()
		p, err := s.addCall(t.Context())
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		receive(t, s, frames.Frame{Op: frames.OpStatus, Mux: p.id, Code: Code(code), Text: text})
		_, err = p.wait(t.Context())
		checkDecoded(t, Code(code), err)
		s.Closed(nil)
		awaitLoss(t, s)
	})
}

func checkDecoded(t *testing.T, code Code, err error) {
	var e *Error
	if !errors.As(err, &e) || e.Code == frames.CodeOK {
		t.Fatalf("code %d gives %#v", code, err)
	}
	if code == frames.CodeOK {
		if !errors.Is(err, ErrProtocol) || e.Remote {
			t.Errorf("a single that ends well without a reply: %#v", e)
		}
		return
	}
	if !e.Remote {
		t.Errorf("it is not marked as the peer's: %#v", e)
	}
	matches := 0
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			matches++
		}
	}
	if code == codeTestBusy { // made of two, and itself in no list
		matches--
	}
	if matches > 1 || errors.Is(err, ErrNotSent) {
		t.Errorf("code %d matches %d sentinels, or tells that nothing was sent", code, matches)
	}
	_ = err.Error()
	_ = errors.As(err, new(*stockError))
	next, text := statusOf(err) // a handler returns it to its own caller
	if next != e.Code || len(text) > maxErrorText {
		t.Errorf("passed on, code %d becomes %d, with %d bytes of text", e.Code, next, len(text))
	}
}
