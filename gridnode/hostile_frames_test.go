package gridnode_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
)

// breach is what a peer does that costs it the session: the node says so to its own
// callers with a typed error, and logs one line.
type breach struct {
	name string
	do   func(p *rawPeer)
	want string // in the reason
}

// frameBreaches break the rules of frames.
var frameBreaches = []breach{
	{"unknown op", func(p *rawPeer) { p.message(ws.OpBinary, p.seal([]byte{0x92, 99, 1})) }, "unknown op"},
	{"op 0", func(p *rawPeer) { p.message(ws.OpBinary, p.seal([]byte{0x92, 0, 1})) }, "unknown op"},
	{"noise", func(p *rawPeer) { p.message(ws.OpBinary, p.seal([]byte("GET / HTTP/1.1"))) }, "malformed"},
	{"half a frame", func(p *rawPeer) {
		b := p.batch(p.request(1, hEcho, []byte("hello")))
		p.message(ws.OpBinary, p.seal(b[frames.ChecksumSize:len(b)-1]))
	}, "truncated"},
	{"no checksum", func(p *rawPeer) { p.message(ws.OpBinary, []byte{0x92, byte(frames.OpPing), 1}) }, "checksum"},
	{"bad checksum", func(p *rawPeer) {
		b := p.batch(p.request(1, hEcho, []byte("hello")))
		b[len(b)-1] ^= 1
		p.message(ws.OpBinary, b)
	}, "checksum"},
	{"empty message", func(p *rawPeer) { p.message(ws.OpBinary, nil) }, "checksum"},
	{"hello again", func(p *rawPeer) { p.hello(nil) }, "checksum"},
	{"hello in a batch", func(p *rawPeer) { p.message(ws.OpBinary, p.seal(validHello(p))) }, "op"},
	{"refusal in a batch", func(p *rawPeer) { p.message(ws.OpBinary, p.seal(frames.AppendRefuse(nil, 33, "no"))) }, "op"},
	{"wrong parity", func(p *rawPeer) { p.send(p.request(2, hEcho, nil)) }, "wrong side"},
	{"wrong parity of a stream", func(p *rawPeer) { p.send(p.open(2, hMux, 1)) }, "wrong side"},
	{"duplicate live ID", func(p *rawPeer) {
		p.send(p.request(1, hHang, nil))
		p.send(p.request(1, hEcho, nil))
	}, "after mux 1"},
	{"ID of another kind that lives", func(p *rawPeer) { p.send(p.open(1, hSink, 1), p.request(1, hEcho, nil)) }, "after mux 1"},
	{"falling ID", func(p *rawPeer) { p.send(p.request(5, hHang, nil), p.request(3, hHang, nil)) }, "after mux 5"},
	{"reply for no call", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpReply, Mux: 8}) }, "never opened"},
	{"status for no call", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpStatus, Mux: 8}) }, "never opened"},
	{"data for no stream", func(p *rawPeer) { p.send(data(7, "x")) }, "never opened"},
	{"half-close of no stream", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpCloseSend, Mux: 7}) }, "never opened"},
	{"credit for no stream", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpCredit, Mux: 7, Credit: 1}) }, "never opened"},
	{"cancel of no call", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpCancel, Mux: 7, Code: 1}) }, "never opened"},
	{"a fragment of nothing", func(p *rawPeer) {
		p.send(frames.Frame{Op: frames.OpRequest, Mux: 7, Flags: frames.FlagCont, Payload: []byte("x")})
	}, "never opened"},
	{"status for a call of its own", func(p *rawPeer) {
		p.send(p.request(1, hHang, nil), frames.Frame{Op: frames.OpStatus, Mux: 1})
	}, "from its opener"},
	{"credit of nothing", func(p *rawPeer) {
		p.send(p.open(1, hSink, 1), frames.Frame{Op: frames.OpCredit, Mux: 1})
	}, "credit of 0"},
	{"session credit of nothing", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpCredit}) }, "credit of 0"},
	{"huge credit", func(p *rawPeer) {
		p.send(p.open(1, hSink, 1), frames.Frame{Op: frames.OpCredit, Mux: 1, Credit: 1<<64 - 1})
	}, "credit of 18446744073709551615"},
	{"huge session credit", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpCredit, Credit: 1<<40 + 1}) }, "credit of"},
	{"a whole reply within another", func(p *rawPeer) {
		p.send(begun(2, frames.OpReply, 10, "abc"), frames.Frame{Op: frames.OpReply, Mux: 2})
	}, "within"},
	{"a reply begun within another", func(p *rawPeer) {
		p.send(begun(2, frames.OpReply, 10, "abc"), begun(2, frames.OpReply, 10, "abc"))
	}, "within"},
	{"a reply with too many bytes", func(p *rawPeer) {
		p.send(begun(2, frames.OpReply, 4, "abc"), frames.Frame{Op: frames.OpReply, Mux: 2, Flags: frames.FlagCont, Payload: []byte("de")})
	}, "exceed"},
	{"a request with too few bytes", func(p *rawPeer) {
		f := p.request(1, hEcho, []byte("abc"))
		f.Flags, f.Size = frames.FlagMore, 10
		p.send(f, frames.Frame{Op: frames.OpRequest, Mux: 1, Flags: frames.FlagCont, Payload: []byte("de")})
	}, "announced 10"},
	{"more than a fragment in one frame", func(p *rawPeer) {
		p.send(p.request(1, hHang, make([]byte, 64<<10+1)))
	}, "65537 bytes"},
}

// socketBreaches break the rules of WebSocket.
var socketBreaches = []breach{
	{"text message", func(p *rawPeer) { p.message(ws.OpText, []byte("hello")) }, "text"},
	{"without a mask", func(p *rawPeer) { p.write(ws.MustCompileFrame(ws.NewBinaryFrame(p.batch()))) }, "mask"},
	{"noise", func(p *rawPeer) { p.write(bytes.Repeat([]byte("\xff\x00noise"), 100)) }, "websocket"},
	{"HTTP again", func(p *rawPeer) { p.write([]byte("GET /grid/v1 HTTP/1.1\r\n\r\n")) }, "websocket"},
	{"oversized message", func(p *rawPeer) {
		var b bytes.Buffer
		ws.WriteHeader(&b, ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 30})
		p.write(b.Bytes())
	}, "exceeds"},
	{"continuation of nothing", func(p *rawPeer) { p.message(ws.OpContinuation, []byte("x")) }, "continuation"},
	{"close", func(p *rawPeer) { p.message(ws.OpClose, ws.NewCloseFrameBody(1000, "bye")) }, "closed by the peer"},
	{"end", func(p *rawPeer) { p.conn.Close() }, ""},
}

func TestAPeerThatBreaksTheRulesOfFramesLosesItsSessionOnly(t *testing.T) {
	for _, b := range frameBreaches {
		t.Run(b.name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				if err := v.commit(t, b); !errors.Is(err, gridnode.ErrProtocol) {
					t.Errorf("not a protocol error: %v", err)
				}
			})
		})
	}
}

func TestAPeerThatBreaksTheRulesOfWebSocketLosesItsSessionOnly(t *testing.T) {
	for _, b := range socketBreaches {
		t.Run(b.name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) { v.commit(t, b) })
		})
	}
}

// The same over real sockets, one victim for all.
func TestBreachesOverRealSockets(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		for _, b := range append(frameBreaches, socketBreaches...) {
			v.commit(t, b)
			if t.Failed() {
				t.Fatalf("in %q", b.name)
			}
		}
	})
}

// commit lets a new peer break the rules while calls of both sides are under way, and
// returns what the session was lost with.
func (v *victim) commit(t *testing.T, b breach) error {
	t.Helper()
	p := v.connected(t)
	lost, sessions := v.lines("msg=disconnected"), v.conn(p.name).Stats().Sessions
	calls := make(chan error, 1)
	go func() { // ends with the session, and is waited for below
		_, err := v.conn(p.name).Request(t.Context(), hEcho, nil)
		calls <- err
	}()
	p.want(frames.OpRequest, 2)
	b.do(p)
	p.drained()
	err := <-calls
	if err == nil {
		t.Fatal("the call under way succeeds")
	}
	if !errors.Is(err, gridnode.ErrDisconnected) || errors.Is(err, gridnode.ErrNotSent) {
		t.Errorf("the call under way ends with %v", err)
	}
	if !strings.Contains(err.Error(), b.want) {
		t.Errorf("the call under way ends with %q, want %q in it", err, b.want)
	}
	v.waitLost(t, p.name)
	v.idle(t, p.name)
	eventually(t, "one line", func() bool { return v.lines("msg=disconnected") == lost+1 })
	if n := v.conn(p.name).Stats().Sessions; n != sessions {
		t.Errorf("%d sessions", n-sessions)
	}
	return err
}
