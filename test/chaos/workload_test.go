package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// workload is many callers, each of which makes one call after the other, between all
// pairs of nodes and in both directions.
type workload struct {
	ledger  *ledger
	cluster *gridtest.Cluster
	ctx     context.Context // ends with stop
	cancel  context.CancelFunc
	callers sync.WaitGroup
	done    atomic.Int64 // calls that have ended with what the handler did
}

// startWorkload starts as many callers for each ordered pair. stop ends them.
func startWorkload(c *gridtest.Cluster, l *ledger, seed uint64, callers int) *workload {
	w := &workload{ledger: l, cluster: c}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	for from := range c.Len() {
		for to := range c.Len() {
			if from == to {
				continue
			}
			for range callers {
				seed++
				r := rand.New(rand.NewPCG(seed, 1))
				w.callers.Go(func() { w.run(r, from, to) }) // ends with w.ctx; stop waits
			}
		}
	}
	return w
}

func (w *workload) run(r *rand.Rand, from, to int) {
	conn := w.cluster.Conn(from, to)
	for w.ctx.Err() == nil {
		switch w.ledger.call(r, conn) {
		case complete, planned:
			w.done.Add(1)
		case unsent:
			conn.WaitForConnect(w.ctx)
			pause(w.ctx) // in a bubble no time passes while somebody runs
		}
	}
}

// pause lets a moment pass before another attempt.
func pause(ctx context.Context) {
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
	}
}

// stop ends the callers, waits until no call is left at either end of any pair, and
// settles the books.
func (w *workload) stop(t *testing.T) {
	t.Helper()
	w.cancel()
	w.callers.Wait()
	for from := range w.cluster.Len() {
		for to := range w.cluster.Len() {
			if from != to {
				wantIdle(t, w.cluster.Conn(from, to))
			}
		}
	}
	w.ledger.settle(t)
}

// wantIdle waits until nothing of a call is left on the connection.
func wantIdle(t *testing.T, conn *gridnode.Connection) {
	t.Helper()
	idle := func() bool {
		st := conn.Stats()
		return st.Calls+st.Streams+st.ServingCalls+st.ServingStreams+st.QueuedBytes+st.HeldBytes == 0
	}
	eventually(t, "idle after all calls have ended", 5*time.Second, idle)
}
