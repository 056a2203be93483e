package chaos

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// fairLink is a link of limited speed.
type fairLink struct {
	name  string
	rate  int // bytes per second
	event bool
}

// options makes the pair's link; the throttle of gridtest is set later.
func (f fairLink) options() []gridtest.Option {
	opts := []gridtest.Option{gridtest.WithNetwork(gridtest.TCP), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { cfg.CallTimeout = -1 })}
	if !f.event {
		opts = append(opts, onDial(pacedDial(f.rate)))
	}
	return opts
}

// Promise 8: a tiny call beside a message of 64 MiB, over a link that the message fills,
// stays fast. The bounds of the quick run are loose, for it may share its machine with
// anything; -chaos.fair measures with the full sizes.
func TestFairnessOfATinyCallBesideALargeMessage(t *testing.T) {
	size, bound, sides := 8<<20, 250*time.Millisecond, 1
	if *flagFair {
		size, bound, sides = 64<<20, 20*time.Millisecond, 2
	}
	for _, link := range []fairLink{
		{"100 MB/s without a queue", 100_000_000, false},
		{"100 MB/s of gridtest, on the event loop", 100_000_000, true},
	} {
		t.Run(link.name, func(t *testing.T) {
			for from := range sides {
				l := newLedger()
				c := gridtest.NewCluster(t, 2, append(link.options(), handlers(l))...)
				if link.event {
					c.Link(0, 1).Throttle(link.rate)
				}
				idle := tinyCalls(t, l, c.Conn(from, 1-from), waited(200*time.Millisecond))
				begin := time.Now()
				busy := tinyCalls(t, l, c.Conn(from, 1-from), large(t, l, c.Conn(from, 1-from), size))
				took := time.Since(begin)
				t.Logf("from node %d, %d MiB there and back in %v (%.0f MB/s): idle %v; beside it %v",
					from, size>>20, took.Round(time.Millisecond), 2*float64(size)/1e6/took.Seconds(), percentiles(idle), percentiles(busy))
				if p99 := at(busy, 0.99); p99 > bound || len(busy) < 10 {
					t.Errorf("p99 of %d tiny calls: %v, bound %v", len(busy), p99, bound)
				}
				wantSessions(t, c, 1)
				l.settle(t)
			}
		})
	}
}

// Promise 8 again: a message that takes far longer than any timeout arrives.
func TestFairnessToALargeMessageOverASlowLink(t *testing.T) {
	link, size := fairLink{rate: 10_000_000}, 4<<20
	if *flagFair {
		size = 64 << 20
	}
	l := newLedger()
	c := gridtest.NewCluster(t, 2, append(link.options(), handlers(l))...)
	begin := time.Now()
	busy := tinyCalls(t, l, c.Conn(0, 1), large(t, l, c.Conn(0, 1), size))
	t.Logf("%d MiB there and back over 10 MB/s in %v; tiny calls %v", size>>20, time.Since(begin).Round(time.Millisecond), percentiles(busy))
	wantSessions(t, c, 1)
	l.settle(t)
}

// large starts a call with so many bytes there and back; the channel is closed at its
// end, which must be a good one.
func large(t *testing.T, l *ledger, conn *gridnode.Connection, size int) <-chan struct{} {
	done := make(chan struct{})
	go func() { // ends with the call; whoever reads done waits
		defer close(done)
		if end := l.callOnce(conn, l.single, plan{size: size}); end != complete {
			t.Errorf("%d bytes ended as %v: %v", size, end, conn.Err())
		}
	}()
	return done
}

// waited is closed after d.
func waited(d time.Duration) <-chan struct{} {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx.Done()
}

// tinyCalls makes a tiny call each millisecond until done, and returns how long each
// took, sorted.
func tinyCalls(t *testing.T, l *ledger, conn *gridnode.Connection, done <-chan struct{}) []time.Duration {
	t.Helper()
	var took []time.Duration
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			slices.Sort(took)
			return took
		case <-tick.C:
		}
		begin := time.Now()
		if end := l.callOnce(conn, l.single, plan{size: 64}); end != complete {
			t.Fatalf("a tiny call ended as %v", end)
		}
		took = append(took, time.Since(begin))
	}
}

// at returns a quantile of sorted durations.
func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}

func percentiles(sorted []time.Duration) string {
	return fmt.Sprintf("%d calls, p50 %v, p99 %v, max %v", len(sorted), at(sorted, 0.5), at(sorted, 0.99), at(sorted, 1))
}
