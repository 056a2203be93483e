package chaos

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// 24-01-24: fifty processes shake hands under the same name, at the same moment, while
// the node is busy calling it. Exactly one connection survives, and it works both ways.
func TestOneOfManyHandshakesOfAPeerSurvives(t *testing.T) {
	for _, network := range []gridtest.Network{gridtest.Memory, gridtest.TCP} {
		t.Run(network.String(), func(t *testing.T) {
			dials := whoDials(t)
			l := newLedger()
			c := gridtest.NewCluster(t, 2, gridtest.WithNetwork(network), handlers(l))
			c.Stop(dials) // its name is free
			crowd(t, c, l, dials, 1-dials)
		})
	}
}

// whoDials returns which of nodes 0 and 1 dials the other: that follows from the names.
func whoDials(t *testing.T) int {
	t.Helper()
	var dialled [2]atomic.Int32
	synctest.Test(t, func(t *testing.T) { // in a bubble there is no time to knock
		gridtest.NewCluster(t, 2, onDial(func(i int, dial dialFunc) dialFunc {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialled[i].Add(1)
				return dial(ctx, network, addr)
			}
		}))
	})
	if dialled[0].Load()+dialled[1].Load() != 1 {
		t.Fatalf("dials: %d and %d", dialled[0].Load(), dialled[1].Load())
	}
	return int(dialled[1].Load())
}

// crowd starts many nodes with the name of node as, each of which may dial node to once.
func crowd(t *testing.T, c *gridtest.Cluster, l *ledger, as, to int) {
	var twins []*gridnode.Manager
	for range 50 {
		var once sync.Once
		m, err := gridnode.NewManager(gridnode.Config{Local: c.Name(as), Peers: []string{c.Name(to)},
			Dial: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
				err = errors.New("one dial each")
				once.Do(func() { conn, err = c.Dial(ctx, to) })
				return conn, err
			}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RegisterSingle(hSingle, l.serveSingle); err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		twins = append(twins, m)
	}
	victim := c.Node(to).Connection(c.Name(as))
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { // ends with stop
			for {
				select {
				case <-stop:
					return
				default:
					if l.callOnce(victim, l.single, plan{size: 300}) == unsent {
						pause(t.Context())
					}
				}
			}
		})
	}
	for _, m := range twins {
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
	}
	wantOneSurvivor(t, l, victim, twins, c.Name(to))
	close(stop)
	callers.Wait()
	l.settle(t)
}

func wantOneSurvivor(t *testing.T, l *ledger, victim *gridnode.Connection, twins []*gridnode.Manager, to string) {
	t.Helper()
	var survivors []*gridnode.Connection
	eventually(t, "one of fifty is left", 6*backWithin, func() bool {
		survivors = survivors[:0]
		gone := 0
		for _, m := range twins {
			conn := m.Connection(to)
			switch {
			case conn.State() == gridnode.StateConnected:
				survivors = append(survivors, conn)
			case conn.Err() != nil: // it has been replaced, and could not come again
				gone++
			}
		}
		return len(survivors) == 1 && gone == len(twins)-1
	})
	if end := l.callOnce(victim, l.single, plan{size: 300}); end != complete {
		t.Errorf("a call to the survivor ended as %v", end)
	}
	if end := l.callOnce(survivors[0], l.single, plan{size: 300}); end != complete {
		t.Errorf("a call of the survivor ended as %v", end)
	}
	if st := survivors[0].Stats(); st.State != gridnode.StateConnected {
		t.Errorf("the survivor is %v", st.State)
	}
}
