package gridnode_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// Promise 9: peers that have nothing to say to each other stay connected, in a bubble's
// time as in real time.
func TestIdlePeersStayConnectedInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gridtest.NewCluster(t, 2)
		<-time.After(time.Hour) // the bubble's time
		for from := range 2 {
			if st := c.Conn(from, 1-from).Stats(); st.Sessions != 1 {
				t.Errorf("node %d needed %d sessions; %v", from, st.Sessions, c.Conn(from, 1-from).Err())
			}
		}
	})
}
