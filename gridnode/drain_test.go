package gridnode_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// Shutdown has ended when the last answers have arrived, and not when the kernel has
// them; a call that crosses the goaway is answered, too.
func TestShutdownWaitsUntilThePeerHasReadTheLastAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVictim(t, gridtest.Memory)
		v.settle = synctest.Wait
		p := v.connected(t)
		p.send(p.request(1, hEcho, []byte("last")))
		v.settle()
		ended := make(chan error, 1)
		go func() { ended <- v.Node(0).Shutdown(t.Context()) }() // ends when p has read
		<-time.After(2 * time.Second)                            // less than what gives up a silent peer
		p.send(p.request(3, hEcho, []byte("crossed")))
		<-time.After(2 * time.Second)
		select {
		case err := <-ended:
			t.Fatalf("the peer has read nothing yet: %v", err)
		default:
		}
		for _, want := range []struct {
			op  frames.Op
			mux uint64
		}{{frames.OpReply, 1}, {frames.OpGoaway, 0}, {frames.OpReply, 3}} {
			p.want(want.op, want.mux)
		}
		p.wantClosed()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
