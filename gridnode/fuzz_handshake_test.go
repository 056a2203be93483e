package gridnode_test

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// FuzzHandshake sends any bytes as a hello: the node accepts what is a hello to it from
// a peer, refuses the rest with a code and a reason, and goes on.
func FuzzHandshake(f *testing.F) {
	c := gridtest.NewCluster(f, 1, gridtest.WithPeers("http://peer1:9000", "http://peer2:9000", "http://peer3:9000", "http://peer4:9000"))
	v := &victim{Cluster: c, settle: func() {}}
	for _, name := range c.Node(0).Peers() {
		if gridnode.Dials(name, c.Name(0)) {
			v.dialler = name
		}
	}
	whole := validHello(&rawPeer{v: v, name: v.dialler})
	for n := 0; n < len(whole); n += 7 {
		f.Add(whole[:n])
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1
		f.Add(flipped)
		f.Add(append(append(bytes.Clone(whole[:n]), 0xc0), whole[n:]...))
	}
	f.Add(whole)
	f.Add(deepHello())
	f.Add(frames.AppendRefuse(nil, 1, "no"))
	f.Fuzz(func(t *testing.T, hello []byte) {
		if len(hello) > 64<<10 {
			return
		}
		p := v.upgraded(t)
		defer p.conn.Close()
		p.message(ws.OpBinary, hello)
		h := p.handshake()
		said, err := frames.DecodeHandshake(hello)
		switch h.Op {
		case frames.OpRefuse:
			if h.Code < frames.RefuseVersion || h.Reason == "" {
				t.Errorf("refused with code %v, %q", h.Code, h.Reason)
			}
			p.wantClosed()
		case frames.OpAccept:
			if err != nil || said.Op != frames.OpHello || said.Hello.Version != frames.Version || said.Hello.Remote != v.Name(0) {
				t.Errorf("accepted: %+v, %v", said, err)
			}
		default:
			t.Errorf("answered with %v", h.Op)
		}
	})
}
