package test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// 24-01-22 feeeef71f, 24-01-24 6968f7237: fifty handshakes as the same peer at once,
// while calls go on: one survives, and calls work.
func TestFiftyHandshakesOfTheSamePeerLeaveOne(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		name := "http://twin:9000" // of a name that dials node 0, not the reverse
		if n.kind == gridtest.TLS {
			name = "https://double:9000"
		}
		var like gridnode.Config
		c := n.cluster(t, 1, gridtest.WithPeers(name), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { like = *cfg }))
		conn := c.Node(0).Connection(name)
		stop := keepCalling(t, conn)
		defer stop()
		twins := startTwins(t, name, like)
		eventually(t, "one of them is left", func() bool {
			up, settled := 0, 0
			for _, m := range twins {
				twin := m.Connection(c.Name(0))
				if twin.State() == gridnode.StateConnected {
					up++
				}
				if twin.State() == gridnode.StateConnected || twin.Err() != nil {
					settled++
				}
			}
			return up == 1 && settled == len(twins) && conn.State() == gridnode.StateConnected
		})
		stop()
		wantEcho(t, conn, "to the survivor")
	})
}

// keepCalling makes calls in the background until stop is called, which waits for them.
func keepCalling(t *testing.T, conn *gridnode.Connection) (stop func()) {
	ended := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				if _, err := conn.Request(background, hEcho, nil); err != nil {
					wantIs(t, err, gridnode.ErrDisconnected)
				}
				select {
				case <-ended:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	return sync.OnceFunc(func() {
		close(ended)
		callers.Wait()
	})
}

// startTwins starts nodes of the same name that each dial their peer once.
func startTwins(t *testing.T, name string, like gridnode.Config) []*gridnode.Manager {
	t.Helper()
	twins := make([]*gridnode.Manager, 50)
	for i := range twins {
		cfg := gridnode.Config{Local: name, Peers: []string{like.Local}, Dial: like.Dial, TLS: like.TLS}
		once(&cfg)
		m, err := gridnode.NewManager(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(m.RegisterSingle(hEcho, echo), m.Start()); err != nil {
			t.Fatal(err)
		}
		twins[i] = m
		t.Cleanup(func() {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return twins
}
