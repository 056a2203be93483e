package gridtest_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// The machine may give the port of a stopped node to somebody else, to a node of another
// cluster of the same names for one.
func TestADialNeverReachesWhoeverGetsThePortOfAStoppedNode(t *testing.T) {
	w := newWires(t, gridtest.TCP)
	addr := w.listener.Addr().String()
	w.listener.Close()
	stranger, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip(err) // somebody has it already
	}
	defer stranger.Close()
	if conn, err := w.tryDial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, %v; want it refused", conn, err)
	}
}

func TestADialThatWasHeldByAStallReachesTheNodeThatRunsThen(t *testing.T) {
	on(t, links, func(t *testing.T, kind gridtest.Network) {
		w := newWires(t, kind)
		w.Stall()
		dialled := make(chan error)
		go func() { // ends when the dial does
			conn, err := w.tryDial(context.Background())
			if err == nil {
				conn.Close()
			}
			dialled <- err
		}()
		select {
		case err := <-dialled:
			t.Fatalf("a dial over a stalled link: %v", err)
		case <-time.After(aWhile):
		}
		w.listener.Close()
		w.Start(1)
		w.Resume()
		if err := <-dialled; err != nil {
			t.Error(err)
		}
	})
}
