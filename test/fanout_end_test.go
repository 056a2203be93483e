package test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// What a quorum was given may be used again once it has returned, although calls go on:
// the request, and the names of the peers. Nil and empty requests stay what they are.
func TestQuorumKeepsNothingThatItWasGiven(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		asked, undone := make(chan string, 2), make(chan string, 2)
		release := make(chan struct{})
		g := n.group(t, 2, func(_ context.Context, peer int, req []byte) ([]byte, error) {
			asked <- kind(req)
			if peer == 2 {
				<-release
			}
			return nil, nil
		})
		for _, req := range [][]byte{nil, {}, []byte("x")} {
			want := kind(req)
			peers := []string{g.Name(1), g.Name(2)}
			_, err := g.node.Quorum(t.Context(), hOwn, req, 1, gridnode.Fanout{Peers: peers}, func(r gridnode.Result) { undone <- r.Peer })
			if err != nil {
				t.Error(err)
			}
			clear(peers)
			fill(req, '!')
			release <- struct{}{}
			if got := receive(t, "the late answer is undone", undone); got != g.Name(2) {
				t.Errorf("undone at %q", got)
			}
			for range 2 {
				if got := receive(t, "a peer is asked", asked); got != want {
					t.Errorf("asked %s, want %s", got, want)
				}
			}
		}
		g.wantIdlePeers(t)
	})
}

// Peers that have not been asked yet when the outcome is known are not asked any more:
// there would be an answer more to undo.
func TestQuorumAsksNobodyAfterTheOutcome(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		var asked atomic.Int64
		g := n.group(t, 6, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			asked.Add(1)
			if peer > 2 {
				<-release
			}
			return nil, nil
		})
		late := make(chan string, 6)
		_, err := g.node.Quorum(t.Context(), hOwn, nil, 2, gridnode.Fanout{Limit: 1}, func(r gridnode.Result) { late <- r.Peer })
		if err != nil {
			t.Error(err)
		}
		close(release)
		<-time.After(50 * time.Millisecond) // for one too many to be asked
		g.wantIdlePeers(t)
		if asked.Load() > 3 || len(late) > 1 {
			t.Errorf("%d were asked, %d undone", asked.Load(), len(late))
		}
	})
}

// A call whose response was too much for the caller has run: it is not tried again.
func TestRetryNotWhatHasRun(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var ran atomic.Int64
		c := n.cluster(t, 2, config(func(cfg *gridnode.Config) { cfg.ReceiveBudget = 200_000 }),
			single(hOwn, func(context.Context, []byte) ([]byte, error) { ran.Add(1); return make([]byte, 300_000), nil }))
		f := gridnode.Fanout{Retry: gridnode.Retry{Attempts: 3, Pause: time.Millisecond}}
		got := c.Node(0).Broadcast(t.Context(), hOwn, nil, f)
		wantIs(t, got[0].Err, gridnode.ErrOverloaded)
		if ran.Load() != 1 {
			t.Errorf("it ran %d times, want once", ran.Load())
		}
	})
}

// With its context the quorum ends with the context's error, although the end of all its
// calls makes it impossible at the same moment.
func TestQuorumEndsWithItsContextsErrorEachTime(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		g := n.group(t, 3, func(ctx context.Context, _ int, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := g.node.Quorum(ctx, hOwn, nil, 2, gridnode.Fanout{}, nil)
			wantIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		g.wantIdlePeers(t)
	})
}

// Close ends a quorum that pauses before it tries again, and reports an undo that does
// not return, as it does handlers.
func TestCloseWaitsForNoQuorumForEver(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		g := n.group(t, 2, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			if peer == 2 {
				return nil, gridnode.ErrOverloaded
			}
			return nil, nil
		})
		f := gridnode.Fanout{Retry: gridnode.Retry{Attempts: 3, Pause: time.Hour}}
		if _, err := g.node.Quorum(t.Context(), hOwn, nil, 1, f, func(gridnode.Result) {}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		start := time.Now()
		if err := g.node.Close(); err != nil || time.Since(start) > time.Second {
			t.Errorf("Close took %v, %v", time.Since(start), err)
		}
	})
}

func TestCloseReportsAnUndoThatDoesNotReturn(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		g := n.group(t, 2, func(context.Context, int, []byte) ([]byte, error) { return nil, nil })
		release, undoing := make(chan struct{}), make(chan struct{})
		if _, err := g.node.Quorum(t.Context(), hOwn, nil, 1, gridnode.Fanout{}, func(gridnode.Result) {
			close(undoing)
			<-release
		}); err != nil {
			t.Error(err)
		}
		<-undoing
		start := time.Now()
		if err := g.node.Close(); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("Close took %v, %v; want an error after 5s", time.Since(start), err)
		}
		close(release)
	})
}

// An undo that panics, or ends its goroutine, is logged, and does not keep others from
// being undone: those that were answered before the outcome was known, and later ones.
func TestAnUndoThatPanicsIsLoggedAndTheOthersAreUndone(t *testing.T) {
	for what, fail := range map[string]func(){"in undo": func() { blowUp(errors.New("in undo")) }, "runtime.Goexit": runtime.Goexit} {
		onEveryLink(t, func(t *testing.T, n *rig) {
			var log logLines
			c := n.cluster(t, 4, log.option(), single(hOwn, func(context.Context, []byte) ([]byte, error) { return nil, nil }))
			peers := []string{c.Name(1), c.Name(2), c.Name(3), "http://nobody:1"}
			for need, limit := range map[int]int{4: 1, 0: 0} { // all are answered before the end is known, or after
				var undone atomic.Int64
				before := log.count(what)
				_, err := c.Node(0).Quorum(t.Context(), hOwn, nil, need, gridnode.Fanout{Peers: peers, Limit: limit}, func(gridnode.Result) {
					undone.Add(1)
					fail()
				})
				if need > 0 {
					wantIs(t, err, gridnode.ErrNoQuorum)
				}
				eventually(t, what+" is in the log", func() bool { return log.count(what) == before+3 })
				if got := undone.Load(); got != 3 {
					t.Errorf("%s: %d undone, want 3", what, got)
				}
			}
		})
	}
}
