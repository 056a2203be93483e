package wsnet

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
)

// upgradeRequest is a whole opening handshake.
const upgradeRequest = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// TestMessagesRightBehindTheUpgradeAreNotLost: what the server sends before the
// client has read its answer lies in the client's buffer, in part or whole.
func TestMessagesRightBehindTheUpgradeAreNotLost(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		for _, n := range []int{1, 3, 100} {
			var frames []byte
			for i := range n {
				frames = append(frames, newFrame(opBinary, fmt.Appendf(nil, "message %d", i), false)...)
			}
			h.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// One write of the answer and the frames, so that they come together.
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				answer(rw, r.Header.Get("Sec-WebSocket-Key"))
				rw.Write(frames)
				rw.Flush()
				h.links <- &Link{conn: conn, r: rw.Reader, maxMessage: maxMessage}
			})
			client, server := h.dial(t)
			if client.r.Buffered() == 0 && h.tcp {
				t.Log("nothing came behind the answer this time")
			}
			e := h.start(t, client, nil)
			h.start(t, server, nil)
			for i := range n {
				if got, want := receive(t, e.got), fmt.Sprintf("message %d", i); string(got) != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		}
	})
}

// TestMessagesRightBehindTheRequestAreNotLost: the other way round, and cut anywhere.
func TestMessagesRightBehindTheRequestAreNotLost(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		if !h.tcp || h.options.TLS != nil {
			h = newTCP(t) // one write has to be one read, on a connection made by hand
		}
		p := server(0)
		frames := slices.Concat(sent(p, fin|opBinary, []byte("first")), sent(p, fin|opBinary, []byte("second")))
		for cut := 0; cut <= len(frames); cut += 3 {
			conn, err := net.Dial("tcp", h.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.Write(append([]byte(upgradeRequest), frames[:cut]...))
			link := receive(t, h.links)
			conn.Write(frames[cut:])
			e := h.start(t, link, nil)
			for _, want := range []string{"first", "second"} {
				if got := receive(t, e.got); string(got) != want {
					t.Fatalf("cut at %d: got %q, want %q", cut, got, want)
				}
			}
			conn.Close()
			e.wantEnd(t)
		}
	})
}

// TestRepliesToLeftoversAreSent: Start itself may call the handler, which may send.
func TestRepliesToLeftoversAreSent(t *testing.T) {
	h := newTCP(t)
	conn, err := net.Dial("tcp", h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := server(0)
	conn.Write(slices.Concat([]byte(upgradeRequest), sent(p, fin|opPing, []byte("p")), sent(p, fin|opBinary, []byte("hello"))))
	link := receive(t, h.links)
	if link.r.Buffered() == 0 {
		if _, err := link.r.Peek(1); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t, link, echo)
	want := slices.Concat(newFrame(opPong, []byte("p"), false), newFrame(opBinary, []byte("hello"), false))
	reader := newReader(conn)
	reader.skipAnswer(t)
	if got := reader.next(t, len(want)); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAPanicOnALeftoverEndsTheConnection and not the goroutine that calls Start.
func TestAPanicOnALeftoverEndsTheConnection(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		client, server := h.dial(t)
		h.start(t, client, nil).mustSend(t, []byte("x"))
		if _, err := server.r.Peek(1); err != nil {
			t.Fatal(err)
		}
		e := h.start(t, server, func(*end, []byte) error { panic("leftover") })
		wantPanic(t, e.wantEnd(t), "leftover")
	})
}
