package gridnode_test

import (
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// The harness itself: a peer that keeps the rules is served.
func TestARawPeerThatKeepsTheRulesIsServed(t *testing.T) {
	onAll(t, func(t *testing.T, v *victim) {
		p := v.connected(t)
		p.send(p.request(1, hEcho, []byte("hello")))
		if f := p.want(frames.OpReply, 1); string(f.Payload) != "hello" {
			t.Errorf("%v", show(f))
		}
		p.send(p.open(3, hMux, 2))
		p.want(frames.OpData, 3) // the payload, nil
		p.send(data(3, "a"), frames.Frame{Op: frames.OpCredit, Mux: 3, Credit: 1}, frames.Frame{Op: frames.OpCloseSend, Mux: 3})
		p.want(frames.OpData, 3)
		p.wantStatus(3, frames.CodeOK)
		p.wantNothing()
		v.idle(t, p.name)
		p.conn.Close()
		if err := v.waitLost(t, p.name); err == nil {
			t.Error("lost without an error")
		}
	})
}
