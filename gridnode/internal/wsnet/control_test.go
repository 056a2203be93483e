package wsnet

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestPingsAreAnsweredInOrderAndWithinFragments(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		p := server(0)
		r := newReader(conn)
		conn.Write(sent(p, fin|opPing, nil))
		r.wantFrame(t, opPong, "")
		conn.Write(slices.Concat(sent(p, opBinary, []byte("a")), sent(p, fin|opPing, []byte("between"))))
		r.wantFrame(t, opPong, "between")
		conn.Write(slices.Concat(sent(p, fin|opPong, []byte("unasked")), sent(p, fin|opContinuation, []byte("b"))))
		if got := receive(t, e.got); string(got) != "ab" {
			t.Errorf("got %q", got)
		}
		for i := range 3 {
			payload := strings.Repeat("p", maxControl-i)
			conn.Write(sent(p, fin|opPing, []byte(payload)))
			r.wantFrame(t, opPong, payload)
		}
	})
}

func TestACloseFrameIsEchoedAndEndsTheConnection(t *testing.T) {
	patientClose(t)
	for _, tt := range []struct{ payload, echo string }{
		{"\x03\xe8", "\x03\xe8"}, {"\x03\xe9going away", "\x03\xe9"}, {"\x0f\xa0application", "\x0f\xa0"}, {"", ""},
	} {
		forEachNetwork(t, func(t *testing.T, h *host) {
			conn, e := h.raw(t, nil)
			p := server(0)
			r := newReader(conn)
			conn.Write(slices.Concat(sent(p, fin|opBinary, []byte("last")), sent(p, fin|opClose, []byte(tt.payload))))
			r.wantFrame(t, opClose, tt.echo)
			r.wantEOF(t)
			code := uint16(codeNone)
			if tt.payload != "" {
				code = uint16(tt.payload[0])<<8 | uint16(tt.payload[1])
			}
			wantPeerCode(t, e.wantEnd(t), code)
			if got := receive(t, e.got); string(got) != "last" {
				t.Errorf("the message in front of the close frame: %q", got)
			}
		})
	}
}

func TestNothingBehindACloseFrameIsRead(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		p := server(0)
		drained := make(chan struct{})
		go func() { // ends with conn, which e's end closes
			defer close(drained)
			io.Copy(io.Discard, conn)
		}()
		conn.Write(slices.Concat(sent(p, fin|opClose, nil), sent(p, fin|opBinary, []byte("behind")), sent(p, fin|opPing, nil)))
		wantPeerCode(t, e.wantEnd(t), codeNone)
		if len(e.got) > 0 {
			t.Error("a message behind the close frame was delivered")
		}
		<-drained
	})
}

func TestBreachesAreToldToThePeer(t *testing.T) {
	patientClose(t)
	p := server(0)
	long := rawFrame{first: fin | opBinary, key: &key, form: 8, length: maxMessage + 1}
	for name, tt := range map[string]struct {
		stream []byte
		code   uint16
	}{
		"text":          {sent(p, fin|opText, []byte("text")), codeUnsupported},
		"unmasked":      {newFrame(opBinary, []byte("x"), false), codeProtocol},
		"reserved bits": {sent(p, fin|0x40|opBinary, nil), codeProtocol},
		"not UTF-8":     {sent(p, fin|opClose, []byte("\x03\xe8\xff")), codeNotUTF8},
		"bad code":      {sent(p, fin|opClose, []byte{0, 1}), codeProtocol},
		"too long":      {long.bytes(), codeTooBig},
		"HTTP":          {[]byte("GET / HTTP/1.1\r\n\r\n"), codeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			forEachNetwork(t, func(t *testing.T, h *host) {
				conn, e := h.raw(t, nil)
				r := newReader(conn)
				written := make(chan struct{})
				go func() { // a pipe's write waits for the reader, which stops early; ends with conn
					defer close(written)
					conn.Write(tt.stream)
				}()
				r.wantFrame(t, opClose, string(closeFrame(tt.code, "")))
				r.wantEOF(t)
				wantCode(t, e.wantEnd(t), tt.code)
				<-written
			})
		})
	}
}

// TestPingsOfAPeerThatDoesNotReadAreBounded: pongs pile up to a limit.
func TestPingsOfAPeerThatDoesNotReadAreBounded(t *testing.T) {
	h := newTCP(t)
	conn, e := h.raw(t, nil)
	p := server(0)
	pings := bytes.Repeat(sent(p, fin|opPing, make([]byte, maxControl)), 1000)
	message := sent(p, fin|opBinary, []byte("x"))
	for range 100 {
		if _, err := conn.Write(pings); err != nil {
			t.Fatal(err)
		}
		conn.Write(message)
		receive(t, e.got)
		if n := e.Pending(); n > congested+2*maxControl {
			t.Fatalf("%d bytes of pongs are pending", n)
		}
	}
}
