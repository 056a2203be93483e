package gridnode_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// A hello that cannot be accepted is refused with a code and a reason, logged once,
// and costs nobody else anything.
func TestABadHelloIsRefusedWithACodeAndAReason(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		for _, c := range []struct {
			name   string
			spoil  func(*frames.Hello)
			code   frames.Code
			reason string
		}{
			{"newer version", func(h *frames.Hello) { h.Version = 2 }, frames.RefuseVersion, "version 2"},
			{"no version", func(h *frames.Hello) { h.Version = 0 }, frames.RefuseVersion, "version 0"},
			{"another host", func(h *frames.Hello) { h.Remote = "http://elsewhere:9000" }, frames.RefuseHost, "node0"},
			{"no host", func(h *frames.Hello) { h.Remote = "" }, frames.RefuseHost, "node0"},
			{"unknown peer", func(h *frames.Hello) { h.Local = "http://stranger:9000" }, frames.RefuseUnknownPeer, "stranger"},
			{"no name", func(h *frames.Hello) { h.Local = "" }, frames.RefuseUnknownPeer, "unknown peer"},
			{"garbage name", func(h *frames.Hello) { h.Local = "http://\x00\xff" }, frames.RefuseUnknownPeer, "unknown peer"},
			{"the node's own name", func(h *frames.Hello) { h.Local = h.Remote }, frames.RefuseUnknownPeer, "unknown peer"},
			{"wrong direction", func(h *frames.Hello) { h.Local = v.acceptor }, frames.RefuseDirection, "dials"},
			{"no message at all", func(h *frames.Hello) { h.MaxMessage = 0 }, frames.RefuseHello, "max message 0"},
			{"no window", func(h *frames.Hello) { h.Window = 0 }, frames.RefuseHello, "window 0"},
			{"window below a fragment", func(h *frames.Hello) { h.Window = 64 << 10 }, frames.RefuseHello, "window 65536"},
			{"absurd window", func(h *frames.Hello) { h.Window = 1 << 63 }, frames.RefuseHello, "window"},
			{"absurd capacity", func(h *frames.Hello) { h.Handlers[1].In = 1 << 31 }, frames.RefuseHello, "capacities"},
		} {
			p := v.upgraded(t)
			lines := v.lines("refused a connection")
			p.hello(c.spoil)
			if reason := p.refused(c.code); !strings.Contains(reason, c.reason) {
				t.Errorf("%s: the peer is told %q, want %q", c.name, reason, c.reason)
			}
			want := lines + 1
			if c.code == frames.RefuseDirection {
				want = lines // a knock, no failure
			}
			eventually(t, c.name+": one line", func() bool { return v.lines("refused a connection") == want })
		}
		if n := v.conn(v.dialler).Stats().Sessions; n != 0 {
			t.Errorf("%d sessions", n)
		}
		eventually(t, "no handshake left", func() bool { return v.Node(0).Handshakes() == 0 })
	})
}

// What is no hello at all is refused as such.
func TestGarbageInsteadOfAHelloIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		op  ws.OpCode
		msg func(p *rawPeer) []byte
	}{
		"empty":         {ws.OpBinary, func(*rawPeer) []byte { return nil }},
		"noise":         {ws.OpBinary, func(*rawPeer) []byte { return []byte("\xff\x00GET / HTTP/1.1") }},
		"a batch":       {ws.OpBinary, func(p *rawPeer) []byte { return p.batch(frames.Frame{Op: frames.OpPing}) }},
		"a refusal":     {ws.OpBinary, func(*rawPeer) []byte { return frames.AppendRefuse(nil, frames.RefuseToken, "you") }},
		"an accept":     {ws.OpBinary, func(p *rawPeer) []byte { h := p.identity(); return frames.AppendHello(nil, frames.OpAccept, &h) }},
		"two hellos":    {ws.OpBinary, func(p *rawPeer) []byte { return append(validHello(p), validHello(p)...) }},
		"half a hello":  {ws.OpBinary, func(p *rawPeer) []byte { b := validHello(p); return b[:len(b)/2] }},
		"text":          {ws.OpText, validHello},
		"oversized map": {ws.OpBinary, func(*rawPeer) []byte { return []byte{0x92, byte(frames.OpHello), 0xdf, 0xff, 0xff, 0xff, 0xff} }},
	} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.upgraded(t)
				p.message(c.op, c.msg(p))
				p.refused(frames.RefuseHello)
				eventually(t, "one line", func() bool { return v.lines("refused a connection") == 1 })
				eventually(t, "no handshake left", func() bool { return v.Node(0).Handshakes() == 0 })
			})
		})
	}
}

func validHello(p *rawPeer) []byte {
	h := p.identity()
	return frames.AppendHello(nil, frames.OpHello, &h)
}

// deepHello has a value under an unknown key that is nested as deep as 60 KiB allow.
func deepHello() []byte {
	b := append([]byte{0x92, byte(frames.OpHello), 0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x91}, 60<<10)...)
	return append(b, 0xc0)
}

// The limit of 64 KiB holds before the hello is there: its header is enough.
func TestAnOversizedHelloIsRefusedByItsHeader(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		for name, size := range map[string]int64{"a byte too much": 64<<10 + 1, "all there is": 1<<63 - 1} {
			p := v.upgraded(t)
			head := ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: size}
			var b bytes.Buffer
			if err := ws.WriteHeader(&b, head); err != nil {
				t.Fatal(err)
			}
			if err := p.write(b.Bytes()); err != nil {
				t.Fatal(err)
			}
			if reason := p.refused(frames.RefuseHello); !strings.Contains(reason, "65536 bytes") {
				t.Errorf("%s: %q", name, reason)
			}
		}
	})
}

func TestADeeplyNestedHelloIsSurvived(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.upgraded(t)
		p.message(ws.OpBinary, deepHello())
		p.refused(frames.RefuseVersion) // nothing else is wrong with it
	})
}

// Before the WebSocket there is HTTP: a wrong path, a wrong method and no upgrade at
// all get an answer, and noise gets none; nothing is logged, for it is anybody's.
func TestWhatIsNoUpgradeGetsAnHTTPAnswer(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.bare(t)
		err := p.upgrade(v.Name(0), "/grid/v0")
		var status ws.StatusError
		if !errors.As(err, &status) || int(status) != 404 {
			t.Errorf("wrong path: %v", err)
		}
		for name, c := range map[string]struct{ request, want string }{
			"no upgrade": {"GET /grid/v1 HTTP/1.1\r\nHost: node0\r\nConnection: close\r\n\r\n", "HTTP/1.1 4"},
			"post":       {"POST /grid/v1 HTTP/1.1\r\nHost: node0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 4"},
			"no key":     {"GET /grid/v1 HTTP/1.1\r\nHost: node0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", "HTTP/1.1 4"},
			"noise":      {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400"},
		} {
			p := v.bare(t)
			if err := p.write([]byte(c.request)); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, len(c.want))
			if _, err := io.ReadFull(p.r, answer); err != nil || string(answer) != c.want {
				t.Errorf("%s: %q, %v", name, answer, err)
			}
			p.conn.Close()
		}
		if log := v.log.String(); strings.Contains(log, "refused a connection") {
			t.Errorf("logged:\n%s", log)
		}
	})
}

// withTokens gives every node a secret of its own, which proves its name.
func withTokens() gridtest.Option {
	secret := func(name string) string { return "secret of " + name }
	return gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		local := cfg.Local
		cfg.Token = func(context.Context, string) (string, error) { return secret(local), nil }
		cfg.Verify = func(_ context.Context, peer, token string, _ *tls.ConnectionState) error {
			if token != secret(peer) {
				return errors.New("wrong token")
			}
			return nil
		}
	})
}

// A peer that claims another's name without its token is refused, is told nothing of
// the node, and the real one does not notice.
func TestAClaimedNameWithoutItsTokenDoesNotEvictTheRealOne(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		honest := func(h *frames.Hello) { h.Token = "secret of " + h.Local }
		real := v.upgraded(t)
		real.hello(honest)
		real.accepted()
		v.waitConnected(t, real.name)
		real.send(real.open(1, hSink, 2))
		for range 3 {
			for _, token := range []string{"", "secret of " + v.Name(1), "secret of " + v.Name(0)} {
				p := v.upgraded(t)
				p.hello(func(h *frames.Hello) { h.Token = token })
				if reason := p.refused(frames.RefuseToken); strings.Contains(reason, "secret") {
					t.Errorf("the refusal gives a token away: %q", reason)
				}
			}
		}
		real.wantNothing()
		st := v.conn(real.name).Stats()
		if st.Sessions != 1 || st.ServingStreams != 1 {
			t.Errorf("%d sessions, %d streams", st.Sessions, st.ServingStreams)
		}
		if log := v.log.String(); strings.Contains(log, "secret") {
			t.Errorf("a token in the log:\n%s", log)
		}

		// The real one may replace itself, as after a cut that only it has noticed.
		again := v.upgraded(t)
		again.hello(honest)
		again.accepted()
		real.drained()
		again.send(again.request(1, hEcho, []byte("again")))
		again.want(frames.OpReply, 1)
		eventually(t, "one stream less", func() bool { return v.Node(0).ServedMuxes() == 0 })
	}, withTokens())
}
