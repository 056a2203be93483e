package gridnode_test

import (
	"io"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
)

// handshakeTimeout is Config's default. On the accepting side the request and the
// hello have it each.
const handshakeTimeout = 5 * time.Second

const upgradeRequest = "GET /grid/v1 HTTP/1.1\r\nHost: node0:9000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// stalls are how far a peer that dials gets before it stops.
var stalls = map[string]func(p *rawPeer){
	"connected":         func(p *rawPeer) {},
	"half a request":    func(p *rawPeer) { p.write([]byte(upgradeRequest[:60])) },
	"upgraded":          func(p *rawPeer) { p.write([]byte(upgradeRequest)) },
	"half a header":     func(p *rawPeer) { p.write(append([]byte(upgradeRequest), p.frame(ws.OpBinary, validHello(p))[0])) },
	"half a hello":      func(p *rawPeer) { p.write(append([]byte(upgradeRequest), p.frame(ws.OpBinary, validHello(p))[:50]...)) },
	"pings and nothing": func(p *rawPeer) { p.write(append([]byte(upgradeRequest), p.frame(ws.OpPing, []byte("x"))...)) },
}

// ends waits for the end of a connection and returns when it came.
func (p *rawPeer) ends() time.Duration {
	p.t.Helper()
	start := time.Now()
	p.conn.SetReadDeadline(start.Add(10 * time.Minute))
	if _, err := io.Copy(io.Discard, p.r); err != nil && !ended(err) {
		p.t.Fatalf("after %v: %v", time.Since(start), err)
	}
	return time.Since(start)
}

// A handshake that stalls, wherever it does, is ended by HandshakeTimeout.
func TestAHandshakeThatStallsIsEnded(t *testing.T) {
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.bare(t)
				stall(p)
				if d := p.ends(); d < handshakeTimeout/2 || d > 2*handshakeTimeout {
					t.Errorf("ended after %v", d)
				}
				eventually(t, "no handshake left", func() bool { return v.Node(0).Handshakes() == 0 })
			})
		})
	}
}

// A byte now and then does not make a handshake last longer.
func TestASlowLorisIsEnded(t *testing.T) {
	for name, from := range map[string]int{"in the request": 20, "in the hello": len(upgradeRequest) + 5} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.bare(t)
				all := append([]byte(upgradeRequest), p.frame(ws.OpBinary, validHello(p))...)
				p.write(all[:from])
				start := time.Now()
				for _, b := range all[from:] {
					<-time.After(500 * time.Millisecond) // the bubble's time
					if p.write([]byte{b}) != nil {
						break
					}
				}
				if d := time.Since(start); d > 2*handshakeTimeout+time.Second {
					t.Errorf("it was listened to for %v", d)
				}
				p.ends()
			})
		})
	}
}

// Whoever is no peer is answered and not kept: neither after the answer, nor in the
// middle of a body that never comes.
func TestAClientThatIsNoPeerIsNotKept(t *testing.T) {
	for name, request := range map[string]string{
		"after the answer":      "GET /nothing HTTP/1.1\r\nHost: node0\r\n\r\n",
		"in the middle of post": "POST /grid/v1 HTTP/1.1\r\nHost: node0\r\nContent-Length: 1000\r\n\r\nabc",
		"chunked":               "POST /nothing HTTP/1.1\r\nHost: node0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.bare(t)
				p.write([]byte(request))
				start := time.Now()
				p.conn.SetReadDeadline(start.Add(10 * time.Minute))
				if _, err := io.Copy(io.Discard, p.r); err != nil && !ended(err) {
					t.Fatalf("still there after %v", time.Since(start))
				}
			})
		})
	}
}

// Half-open handshakes are bounded in number and in time, and the peers that are
// connected go on.
func TestHalfOpenHandshakesAreBounded(t *testing.T) {
	const flood = 5000
	onMemory(t, func(t *testing.T, v *victim) {
		var peers []*rawPeer
		upgraded := 0
		for range flood {
			p := v.bare(t)
			peers = append(peers, p)
			if p.upgrade(v.Name(0), "/grid/v1") == nil {
				upgraded++
			}
			if n := v.Node(0).Handshakes(); n > gridnode.MaxHandshakes {
				t.Fatalf("%d handshakes", n)
			}
		}
		if upgraded != gridnode.MaxHandshakes {
			t.Errorf("%d of %d are in their handshake", upgraded, flood)
		}
		v.unharmed(t)
		for _, p := range peers {
			p.ends()
		}
		eventually(t, "no handshake left", func() bool { return v.Node(0).Handshakes() == 0 })
		p := v.connected(t) // room again
		p.send(p.request(1, hEcho, nil))
		p.want(frames.OpReply, 1)
	})
}
