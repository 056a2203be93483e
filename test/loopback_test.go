package test

import (
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The node's connection to itself shows what it serves, as any other does.
func TestTheLoopbackCountsBothEnds(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		st := open(t, w.conn, hWatchTwoWay, make([]byte, 1000))
		receive(t, "the handler runs", w.entered)
		var here, there gridnode.ConnectionStats
		eventually(t, "all has arrived", func() bool {
			here, there = w.conn.Stats(), w.back.Stats()
			return there.HeldBytes == 1000 // the payload is held until the handler returns
		})
		if here.Streams != 1 || there.ServingStreams != 1 {
			t.Errorf("%d streams, %d served, want 1 and 1", here.Streams, there.ServingStreams)
		}
		st.Cancel(nil)
	})
}
