package gridnode_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
)

// listening lets the test play the peer that the victim dials.
func (v *victim) listening(t testing.TB) net.Listener {
	t.Helper()
	l, err := v.Listen(v.acceptor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dialled waits for the victim to dial; nothing has been read yet.
func (v *victim) dialled(t testing.TB, l net.Listener) *rawPeer {
	t.Helper()
	impatient := time.AfterFunc(rawPatience, func() {
		t.Errorf("not dialled: %v, %v", v.conn(v.acceptor).State(), v.conn(v.acceptor).Err())
		l.Close()
	})
	conn, err := l.Accept()
	impatient.Stop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(rawPatience))
	return &rawPeer{t: t, v: v, name: v.acceptor, conn: conn, r: bufio.NewReader(conn)}
}

// takeHello upgrades and reads the victim's hello.
func (p *rawPeer) takeHello() {
	p.t.Helper()
	rw := struct {
		*bufio.Reader
		net.Conn
	}{p.r, p.conn}
	if _, err := ws.Upgrade(readWriter{rw.Reader, rw.Conn}); err != nil {
		p.t.Fatal(err)
	}
	h := p.handshake()
	if h.Op != frames.OpHello || h.Hello.Remote != p.name || h.Hello.Local != p.v.Name(0) {
		p.t.Fatalf("%+v", h)
	}
	p.said = h.Hello
}

type readWriter struct {
	*bufio.Reader
	conn net.Conn
}

func (rw readWriter) Write(b []byte) (int, error) { return rw.conn.Write(b) }

// answer sends an accept; f, if there is one, spoils it first.
func (p *rawPeer) answer(f func(*frames.Hello)) {
	p.t.Helper()
	h := p.identity()
	if f != nil {
		f(&h)
	}
	p.checksum = h.Features&frames.FeatureChecksum != 0
	p.message(ws.OpBinary, frames.AppendHello(nil, frames.OpAccept, &h))
}

// An honest acceptor is used; the node that dials opens odd muxes.
func TestARawAcceptorThatKeepsTheRulesIsUsed(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		p := v.dialled(t, v.listening(t))
		p.takeHello()
		p.answer(nil)
		v.waitConnected(t, p.name)
		p.send(p.request(2, hEcho, []byte("hello")))
		if f := p.want(frames.OpReply, 2); string(f.Payload) != "hello" {
			t.Errorf("%v", show(f))
		}
		reply := make(chan error, 1)
		go func() { // ends with the reply, which is waited for
			resp, err := v.conn(p.name).Request(t.Context(), hEcho, []byte("x"))
			if err == nil && string(resp) != "y" {
				err = fmt.Errorf("got %q", resp)
			}
			reply <- err
		}()
		p.want(frames.OpRequest, 1)
		p.send(frames.Frame{Op: frames.OpReply, Mux: 1, Payload: []byte("y")})
		if err := <-reply; err != nil {
			t.Error(err)
		}
		if _, err := v.conn(p.name).Request(t.Context(), hFail, nil); !errors.Is(err, gridnode.ErrUnknownHandler) {
			t.Errorf("a handler that the peer does not have: %v", err)
		}
	})
}

// A dialler that cannot work with the answer says why, logs it once for each outage
// however often it tries, and the calls meanwhile fail at once with the reason.
func TestABadAnswerIsTheConnectionsErrorAndIsLoggedOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(p *rawPeer)
		code   gridnode.Code
		reason string
	}{
		{"refused token", func(p *rawPeer) {
			p.message(ws.OpBinary, frames.AppendRefuse(nil, frames.RefuseToken, "who are you"))
		}, frames.RefuseToken, "who are you"},
		{"refused version", func(p *rawPeer) {
			p.message(ws.OpBinary, frames.AppendRefuse(nil, frames.RefuseVersion, "too old"))
		}, frames.RefuseVersion, "too old"},
		{"another version", func(p *rawPeer) { p.answer(func(h *frames.Hello) { h.Version = 2 }) }, frames.RefuseVersion, "version 2"},
		{"another name", func(p *rawPeer) { p.answer(func(h *frames.Hello) { h.Local = p.v.dialler }) }, frames.RefuseHost, "answers as"},
		{"no window", func(p *rawPeer) { p.answer(func(h *frames.Hello) { h.Window = 1 }) }, gridnode.CodeProtocol, "window 1"},
		{"garbage", func(p *rawPeer) { p.message(ws.OpBinary, []byte("garbage")) }, gridnode.CodeProtocol, "malformed"},
		{"hello", func(p *rawPeer) { p.message(ws.OpBinary, validHello(p)) }, gridnode.CodeProtocol, "answer of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				l := v.listening(t)
				conn := v.conn(v.acceptor)
				v.settle()
				line := "peer=" + v.acceptor + " error="
				lines := v.lines(line) // before the test listened
				for range 5 {
					p := v.dialled(t, l)
					p.takeHello()
					c.answer(p)
					p.wantClosed()
				}
				v.settle()
				var e *gridnode.Error
				if err := conn.Err(); !errors.As(err, &e) || e.Code != c.code || !strings.Contains(err.Error(), c.reason) {
					t.Errorf("%#v, want code %v, %q", err, c.code, c.reason)
				}
				if _, err := conn.Request(t.Context(), hEcho, nil); !errors.Is(err, gridnode.ErrNotSent) || !strings.Contains(err.Error(), c.reason) {
					t.Errorf("a call meanwhile: %v", err)
				}
				if n := v.lines(line) - lines; n != 1 {
					t.Errorf("%d lines for 5 attempts:\n%s", n, v.log.String())
				}
				p := v.dialled(t, l)
				p.takeHello()
				p.answer(nil)
				v.waitConnected(t, p.name)
			})
		})
	}
}

// acceptorStalls are how far a peer that is dialled gets before it stops.
var acceptorStalls = map[string]func(p *rawPeer){
	"accepted":          func(p *rawPeer) {},
	"half a response":   func(p *rawPeer) { p.write([]byte("HTTP/1.1 101 Switching")) },
	"upgraded":          func(p *rawPeer) { p.takeHello() },
	"half an accept":    func(p *rawPeer) { p.takeHello(); p.write(p.frame(ws.OpBinary, validHello(p))[:20]) },
	"pings and nothing": func(p *rawPeer) { p.takeHello(); p.message(ws.OpPing, nil) },
}

func TestAnAcceptorThatStallsIsGivenUp(t *testing.T) {
	for name, stall := range acceptorStalls {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				l := v.listening(t)
				for range 2 { // and tried again
					p := v.dialled(t, l)
					stall(p)
					if d := p.ends(); d > handshakeTimeout {
						t.Errorf("given up after %v", d)
					}
				}
			})
		})
	}
}

// What is no grid at all, and an answer that never ends.
func TestAServerThatIsNoNodeIsAnError(t *testing.T) {
	for name, answer := range map[string]string{
		"not found":      "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno grid",
		"not HTTP":       "SSH-2.0-OpenSSH_9.6\r\n",
		"wrong accept":   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: eHh4eHh4eHh4eHh4eHh4eHh4eHg=\r\n\r\n",
		"endless header": "HTTP/1.1 404 Not Found\r\nX: " + strings.Repeat("x", 1<<20),
		"endless reason": "HTTP/1.1 500 No\r\n\r\n" + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				l := v.listening(t)
				v.settle()
				line := "peer=" + v.acceptor + " error=" // the other peer has lines of its own
				lines := v.lines(line)
				for range 3 {
					p := v.dialled(t, l)
					p.write([]byte(answer)) // may fail: nobody has to read all of it
					p.ends()
				}
				v.settle()
				err := v.conn(v.acceptor).Err()
				if err == nil || len(err.Error()) > 2000 {
					t.Errorf("%d bytes of error: %.200v", len(fmt.Sprint(err)), err)
				}
				if n := v.lines(line) - lines; n > 1 {
					t.Errorf("%d lines for 3 attempts", n)
				}
			})
		})
	}
}

// A peer that accepts and drops at once, for ever, is redialled with a pause, and not
// as fast as it can drop.
func TestAPeerThatDropsAtOnceIsRedialledWithAPause(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		l := v.listening(t)
		start, n := time.Now(), 0
		for time.Since(start) < time.Minute && n < 2000 {
			p := v.dialled(t, l)
			p.takeHello()
			p.answer(nil)
			p.conn.Close()
			n++
		}
		if n > 600 { // ReconnectMin is 50 ms
			t.Errorf("%d sessions within %v", n, time.Since(start))
		}
	})
}
