package gridnode_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
)

// called makes n calls to p, which has answered the hello, and returns where their
// ends come; the muxes are 1, 3, 5 and so on.
func called(t *testing.T, v *victim, p *rawPeer, n int) []chan string {
	ends := make([]chan string, n)
	for i := range n {
		ends[i] = make(chan string, 1)
		go func() { // ends with its reply, or the session
			resp, err := v.conn(p.name).Request(t.Context(), hEcho, nil)
			if errors.Is(err, gridnode.ErrDisconnected) {
				err = gridnode.ErrDisconnected
			}
			ends[i] <- fmt.Sprintf("%s %v", resp, err)
		}()
		p.want(frames.OpRequest, uint64(2*i+1))
	}
	return ends
}

func wantEnds(t *testing.T, ends []chan string, want ...string) {
	t.Helper()
	for i, end := range ends {
		if got := <-end; got != want[i] {
			t.Errorf("call %d: %q, want %q", i, got, want[i])
		}
	}
}

// The frames of one message count in their order, though the replies among them are
// looked up together: the first end of a call is its end.
func TestTheFirstEndOfACallCountsWithinAMessage(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.dialled(t, v.listening(t))
		p.takeHello()
		p.answer(nil)
		v.waitConnected(t, p.name)
		ends := called(t, v, p, 5)
		status := func(mux uint64) frames.Frame {
			return frames.Frame{Op: frames.OpStatus, Mux: mux, Code: frames.CodeOverloaded, Text: []byte("no")}
		}
		reply := func(mux uint64, s string) frames.Frame {
			return frames.Frame{Op: frames.OpReply, Mux: mux, Payload: []byte(s)}
		}
		p.send(reply(1, "a"), reply(1, "again"), reply(3, "b"), status(3), status(5), reply(5, "late"), reply(7, "d"),
			begun(9, frames.OpReply, 10, "abc"), reply(1, "once more"))
		wantEnds(t, ends[:4], "a <nil>", "b <nil>", " remote: no", "d <nil>")
		p.send(frames.Frame{Op: frames.OpReply, Flags: frames.FlagCont, Mux: 9, Payload: []byte("defghij")})
		wantEnds(t, ends[4:], "abcdefghij <nil>")
	})
}

// Replies that came before a breach in the same message have arrived.
func TestRepliesBeforeABreachOfTheirMessageCount(t *testing.T) {
	for name, breach := range map[string]frames.Frame{
		"reply that nobody waits for": {Op: frames.OpReply, Mux: 99},
		"wrong side":                  {Op: frames.OpReply, Mux: 2},
		"unknown mux":                 {Op: frames.OpData, Mux: 99},
	} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.dialled(t, v.listening(t))
				p.takeHello()
				p.answer(nil)
				v.waitConnected(t, p.name)
				ends := called(t, v, p, 2)
				p.send(frames.Frame{Op: frames.OpReply, Mux: 1, Payload: []byte("a")}, breach)
				wantEnds(t, ends, "a <nil>", " "+gridnode.ErrDisconnected.Error())
				p.wantClosed()
			})
		})
	}
}

// A request and its cancel in one message: the handler has begun, and is cancelled.
func TestACancelInTheMessageOfItsRequestIsNotLost(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.connected(t)
		p.send(p.request(1, hEcho, []byte("a")), p.request(3, hHang, nil), p.request(5, hEcho, []byte("b")),
			frames.Frame{Op: frames.OpCancel, Mux: 3, Code: frames.CodeCanceled}, p.request(7, hEcho, []byte("c")))
		got := make(map[uint64]string)
		for range 4 { // in any order
			f, err := p.next()
			if err != nil {
				t.Fatal(err)
			}
			got[f.Mux] = fmt.Sprintf("%v %s %v", f.Op, f.Payload, f.Code)
		}
		want := map[uint64]string{1: "reply a ok", 3: "status  canceled", 5: "reply b ok", 7: "reply c ok"}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
