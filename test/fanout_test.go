package test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// group is a caller, node 0, and peers whose hOwn handler behaves as the test says, by
// the peer's number.
type group struct {
	*gridtest.Cluster
	node *gridnode.Manager
}

func (n *rig) group(t *testing.T, peers int, behave func(ctx context.Context, peer int, req []byte) ([]byte, error)) *group {
	t.Helper()
	c := n.cluster(t, 1+peers, gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
		return m.RegisterSingle(hOwn, func(ctx context.Context, req []byte) ([]byte, error) { return behave(ctx, i, req) })
	}))
	return &group{Cluster: c, node: c.Node(0)}
}

// wantIdlePeers checks that no call is under way between the caller and its peers.
func (g *group) wantIdlePeers(t *testing.T) {
	t.Helper()
	eventually(t, "no call is under way", func() bool {
		for i := 1; i < g.Len(); i++ {
			if g.Node(i) != nil && active(g.Conn(0, i).Stats())+active(g.Conn(i, 0).Stats()) != "" {
				return false
			}
		}
		return true
	})
}

// D 1: everybody is asked; each has its result or its error, in the order of the peers.
func TestBroadcastGivesEachPeersResultOrError(t *testing.T) {
	for name, f := range map[string]gridnode.Fanout{"at once": {}, "limited": {Limit: 2}, "retried": {Retry: gridnode.Retry{Attempts: 2, Pause: time.Millisecond}}} {
		t.Run(name, func(t *testing.T) {
			onEveryLink(t, func(t *testing.T, n *rig) {
				g := n.group(t, 5, func(_ context.Context, peer int, req []byte) ([]byte, error) {
					if peer == 2 {
						return nil, errLocked
					}
					return fmt.Append(req, peer), nil
				})
				g.Stop(4)
				eventually(t, "the loss is noticed", func() bool { return g.node.Connection(g.Name(4)).State() != gridnode.StateConnected })
				results := g.node.Broadcast(t.Context(), hOwn, []byte("from "), f)
				if len(results) != 5 {
					t.Fatalf("%d results, want 5", len(results))
				}
				for i, r := range results {
					peer := i + 1
					if r.Peer != g.Name(peer) {
						t.Errorf("result %d is of %s", i, r.Peer)
					}
					switch peer {
					case 2:
						wantIs(t, r.Err, errLocked)
					case 4:
						wantIs(t, r.Err, gridnode.ErrNotSent)
					default:
						if r.Err != nil || string(r.Resp) != fmt.Sprint("from ", peer) {
							t.Errorf("%s: %q, %v", r.Peer, r.Resp, r.Err)
						}
						continue
					}
					if r.Resp != nil {
						t.Errorf("%s: %q beside %v", r.Peer, r.Resp, r.Err)
					}
				}
				g.wantIdlePeers(t)
			})
		})
	}
}

// The peers may be named, the node itself and strangers among them, and a subroute.
func TestBroadcastToNamedPeersUnderARoute(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		c := n.cluster(t, 3, single(hOwn, echo, "disk1", "a"))
		peers := []string{c.Name(2), c.Name(0), "http://stranger:1"}
		for _, f := range []gridnode.Fanout{{Peers: peers, Subroute: "disk1/a"}, {Peers: peers, Subroute: "disk1/a", Limit: 1}} {
			results := c.Node(0).Broadcast(t.Context(), hOwn, []byte("x"), f)
			for i, r := range results {
				if r.Peer != peers[i] || (i < 2) != (r.Err == nil && string(r.Resp) == "x") {
					t.Errorf("result %d: %v", i, r)
				}
			}
			wantIs(t, results[2].Err, gridnode.ErrNotSent)
		}
		if results := c.Node(0).Broadcast(t.Context(), hOwn, nil, gridnode.Fanout{Peers: []string{}}); len(results) != 0 {
			t.Errorf("nobody was named: %v", results)
		}
	})
}

// The end of the context ends the calls that are under way; those that were answered
// keep their answers.
func TestTheEndOfTheContextEndsABroadcast(t *testing.T) {
	t.Parallel() // with other tests that only wait
	for name, f := range map[string]gridnode.Fanout{"at once": {}, "limited": {Limit: 3}} {
		t.Run(name, func(t *testing.T) {
			atOnce(t, links, func(t *testing.T, n *rig) {
				n.untilUnderWay(t, 50*time.Millisecond, func(deadline time.Duration) bool {
					return n.endedBroadcast(t, f, deadline)
				})
			})
		})
	}
}

// endedBroadcast checks a broadcast that two of four peers answer before its deadline,
// and reports whether these had, and the others had begun.
func (n *rig) endedBroadcast(t *testing.T, f gridnode.Fanout, deadline time.Duration) bool {
	entered, left := make(chan struct{}, 2), make(chan error, 2)
	g := n.group(t, 4, func(ctx context.Context, peer int, req []byte) ([]byte, error) {
		if peer > 2 {
			entered <- struct{}{}
			<-ctx.Done()
			left <- context.Cause(ctx)
			return nil, ctx.Err()
		}
		return req, nil
	})
	ctx, cancel := context.WithTimeout(background, deadline)
	defer cancel()
	start := time.Now()
	results := g.node.Broadcast(ctx, hOwn, []byte("x"), f)
	n.wantWithin(t, "the broadcast", start, deadline)
	for i, r := range results {
		if i < 2 && r.Err == nil && string(r.Resp) != "x" {
			t.Errorf("%v", r)
		}
		if i >= 2 || r.Err != nil {
			wantIs(t, r.Err, context.DeadlineExceeded)
		}
	}
	if len(entered) < 2 || results[0].Err != nil || results[1].Err != nil {
		return false
	}
	for range 2 {
		wantIs(t, receive(t, "the handlers' contexts end", left), context.DeadlineExceeded)
	}
	g.wantIdlePeers(t)
	return true
}

// Limit is how many calls are in flight at once, no more and no fewer.
func TestLimitBoundsTheCallsInFlight(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var running, most atomic.Int64
		full := make(chan struct{}) // closed once as many run as may
		reached := sync.OnceFunc(func() { close(full) })
		g := n.group(t, 7, func(ctx context.Context, _ int, req []byte) ([]byte, error) {
			defer running.Add(-1)
			now := running.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			if now == 3 {
				reached()
			}
			select {
			case <-full:
			case <-ctx.Done(): // of the broadcast, which waits for no more
				return nil, context.Cause(ctx)
			}
			<-time.After(5 * time.Millisecond) // for one too many to come
			return req, nil
		})
		ctx, cancel := context.WithTimeout(background, patience)
		defer cancel()
		for _, r := range g.node.Broadcast(ctx, hOwn, nil, gridnode.Fanout{Limit: 3}) {
			if r.Err != nil {
				t.Error(r)
			}
		}
		if n := most.Load(); n != 3 {
			t.Errorf("at most %d calls were in flight, want 3", n)
		}
	})
}

// Retries: what was not sent, or refused as overload, is tried again, other errors only
// if the caller says that they are safe; never more often than asked for.
func TestRetryTriesAgainWhatIsSafe(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var mu sync.Mutex
		tries := map[int]int{}
		g := n.group(t, 3, func(_ context.Context, peer int, req []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			tries[peer]++
			switch {
			case tries[peer] == 3:
				return req, nil
			case peer == 1:
				return nil, gridnode.ErrOverloaded
			case peer == 2:
				return nil, errLocked
			}
			return nil, errUnwritten
		})
		retryLocked := func(err error) bool { return errors.Is(err, errLocked) }
		policy := gridnode.Retry{Attempts: 5, Pause: time.Millisecond, Retryable: retryLocked}
		results := g.node.Broadcast(t.Context(), hOwn, []byte("x"), gridnode.Fanout{Retry: policy})
		mu.Lock()
		defer mu.Unlock()
		if results[0].Err != nil || results[1].Err != nil || results[2].Err == nil {
			t.Errorf("%v", results)
		}
		if tries[1] != 3 || tries[2] != 3 || tries[3] != 1 {
			t.Errorf("tries %v, want 3, 3 and 1", tries)
		}
	})
}

// A retry that waits for its pause ends with the context.
func TestARetryEndsWithTheContext(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		g := n.group(t, 2, func(context.Context, int, []byte) ([]byte, error) { return nil, gridnode.ErrOverloaded })
		ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
		defer cancel()
		start := time.Now()
		results := g.node.Broadcast(ctx, hOwn, nil, gridnode.Fanout{Retry: gridnode.Retry{Attempts: 1000, Pause: time.Minute}})
		n.wantWithin(t, "the broadcast", start, 20*time.Millisecond)
		for _, r := range results {
			wantIs(t, r.Err, context.DeadlineExceeded)
		}
	})
}

// FirstOf: the first answer wins, failures do not count, and the others are cancelled.
func TestFirstOfTakesTheFirstAnswerAndCancelsTheOthers(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		left := make(chan error, 2)
		waiting := make(chan struct{}, 2)
		g := n.group(t, 4, func(ctx context.Context, peer int, req []byte) ([]byte, error) {
			switch peer {
			case 1:
				return nil, errLocked
			case 2:
				<-waiting
				<-waiting
				return []byte("second"), nil
			}
			waiting <- struct{}{}
			<-ctx.Done()
			left <- context.Cause(ctx)
			return nil, ctx.Err()
		})
		r, err := g.node.FirstOf(t.Context(), hOwn, nil, gridnode.Fanout{})
		if err != nil || r.Err != nil || r.Peer != g.Name(2) || string(r.Resp) != "second" {
			t.Errorf("%v, %v", r, err)
		}
		for range 2 {
			wantIs(t, receive(t, "the others' contexts end", left), context.Canceled)
		}
		g.wantIdlePeers(t)
	})
}

// FirstOf without any answer tells every peer's error.
func TestFirstOfWithoutAnAnswerTellsAllErrors(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		g := n.group(t, 2, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			return nil, []error{nil, errLocked, sizeError(3)}[peer]
		})
		_, err := g.node.FirstOf(t.Context(), hOwn, nil, gridnode.Fanout{})
		for _, want := range []error{errLocked, errSized, gridnode.ErrNoQuorum} {
			wantIs(t, err, want)
		}
		peers := []string{g.Name(1), g.Name(2)}
		if !slices.Equal(g.node.Peers(), peers) {
			t.Errorf("peers %v", g.node.Peers())
		}
	})
}
