package gridnode_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

const (
	hPeer  gridnode.HandlerID = 70 + iota // answers as the test's function says
	hLimit                                // counts how many run at once
)

// script is what hPeer does on the node with this index; it is set before the calls.
type script func(ctx context.Context, node int, req []byte) ([]byte, error)

// scripted starts n nodes whose hPeer runs do.
func scripted(t *testing.T, n int, do script) []*gridnode.Manager {
	t.Helper()
	next := atomic.Int64{}
	return grid(t, n, func(m *gridnode.Manager) {
		node := int(next.Add(1)) - 1
		err := m.RegisterSingle(hPeer, func(ctx context.Context, req []byte) ([]byte, error) { return do(ctx, node, req) })
		if err != nil {
			panic(err)
		}
	})
}

func TestBroadcastGivesEveryPeersOwnResultInOrder(t *testing.T) {
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 2 {
			return nil, gridnode.ErrOverloaded
		}
		return append(req, byte('0'+node)), nil
	})
	peers := []string{nodes[3].Local(), "http://nobody:1", nodes[2].Local(), nodes[0].Local(), nodes[1].Local()}
	big := bytes.Repeat([]byte("b"), 100_000)
	for _, f := range []gridnode.Fanout{{Peers: peers}, {Peers: peers, Limit: 2}} {
		for _, req := range [][]byte{[]byte("r"), big} {
			got := nodes[0].Broadcast(context.Background(), hPeer, req, f)
			for i, want := range []string{"3", "", "", "0", "1"} {
				r := got[i]
				if r.Peer != peers[i] || want != "" && (r.Err != nil || string(r.Resp) != string(req)+want) {
					t.Errorf("limit %d, %d bytes: result %d: %s, %d bytes, %v", f.Limit, len(req), i, r.Peer, len(r.Resp), r.Err)
				}
			}
			if !errors.Is(got[1].Err, gridnode.ErrNotSent) || !errors.Is(got[2].Err, gridnode.ErrOverloaded) {
				t.Errorf("limit %d: %v, %v", f.Limit, got[1].Err, got[2].Err)
			}
		}
	}
}

func TestBroadcastEndsWithItsContextAndKeepsWhatHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 8)
		c := gridtest.NewCluster(t, 4, gridtest.WithHandlers(func(node int, m *gridnode.Manager) error {
			return m.RegisterSingle(hPeer, func(ctx context.Context, req []byte) ([]byte, error) {
				if node == 1 {
					return req, nil
				}
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return nil, ctx.Err()
			})
		}))
		for _, f := range []gridnode.Fanout{{}, {Limit: 2}} {
			// In the bubble's time the calls go out, and the answer comes, at once.
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			got := c.Node(0).Broadcast(ctx, hPeer, []byte("r"), f)
			cancel()
			if got[0].Err != nil || string(got[0].Resp) != "r" {
				t.Errorf("limit %d: the answer that came: %+v", f.Limit, got[0])
			}
			for _, r := range got[1:] {
				if !errors.Is(r.Err, context.DeadlineExceeded) {
					t.Errorf("limit %d: %+v", f.Limit, r)
				}
			}
			for range 2 {
				if err := <-ended; !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		}
	})
}

func TestFanoutKeepsToItsLimit(t *testing.T) {
	var running, most atomic.Int64
	full := make(chan struct{}) // closed once as many run as may
	reached := sync.OnceFunc(func() { close(full) })
	nodes := scripted(t, 7, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		now := running.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		defer running.Add(-1)
		if now == 2 {
			reached()
		}
		select {
		case <-full:
			<-time.After(5 * time.Millisecond) // for one too many to come
		case <-ctx.Done():
		}
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, r := range nodes[0].Broadcast(ctx, hPeer, nil, gridnode.Fanout{Limit: 2}) {
		if r.Err != nil {
			t.Error(r)
		}
	}
	if most.Load() != 2 {
		t.Errorf("%d calls at once, limit 2", most.Load())
	}
}

func TestFanoutRetriesWhatIsSafe(t *testing.T) {
	var tries [4]atomic.Int64
	fatal := errors.New("broken")
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		n := tries[node].Add(1)
		switch {
		case node == 1 && n < 3:
			return nil, gridnode.ErrOverloaded
		case node == 2:
			return nil, fatal
		}
		return req, nil
	})
	f := gridnode.Fanout{Retry: gridnode.Retry{Attempts: 3, Pause: time.Millisecond}}
	got := nodes[0].Broadcast(context.Background(), hPeer, []byte("r"), f)
	if got[0].Err != nil || got[1].Err == nil || got[2].Err != nil {
		t.Errorf("%+v", got)
	}
	for node, want := range []int64{0, 3, 1, 1} {
		if n := tries[node].Load(); n != want {
			t.Errorf("node %d was called %d times, want %d", node, n, want)
		}
	}
}

func TestFirstOfReturnsTheFirstAnswerAndCancelsTheOthers(t *testing.T) {
	cancelled, running := make(chan error, 2), make(chan struct{}, 2)
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 2 {
			<-running // the others: a call that has not gone out by the answer never does
			<-running
			return []byte("first"), nil
		}
		running <- struct{}{}
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, ctx.Err()
	})
	r, err := nodes[0].FirstOf(context.Background(), hPeer, nil, gridnode.Fanout{})
	if err != nil || string(r.Resp) != "first" || r.Peer != nodes[2].Local() {
		t.Errorf("%+v, %v", r, err)
	}
	for range 2 {
		if err := <-cancelled; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestFirstOfJoinsTheErrorsIfNobodyAnswers(t *testing.T) {
	nodes := scripted(t, 3, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 1 {
			return nil, gridnode.ErrOverloaded
		}
		return nil, errors.New("disk on fire")
	})
	r, err := nodes[0].FirstOf(context.Background(), hPeer, nil, gridnode.Fanout{})
	if !errors.Is(err, gridnode.ErrNoQuorum) || !errors.Is(err, gridnode.ErrOverloaded) || !strings.Contains(err.Error(), "disk on fire") || r.Peer != "" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestQuorumUndoesALateAnswerAfterItsContextHasEnded(t *testing.T) {
	release := make(chan struct{})
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 3 {
			<-release // the late one, which does not watch its context
		}
		return []byte{byte(node)}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.Background())
	undone := make(chan gridnode.Result, 3)
	got, err := nodes[0].Quorum(ctx, hPeer, nil, 2, gridnode.Fanout{}, func(r gridnode.Result) { undone <- r })
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	cancel()
	close(release)
	if r := <-undone; r.Peer != nodes[3].Local() || r.Err != nil || r.Resp[0] != 3 {
		t.Errorf("%+v", r)
	}
}

// Without a Limit the turn of all peers comes at once: a quorum that is complete before
// anybody has been called keeps none from the call.
func TestAQuorumCallsEveryPeerHoweverSoonItEnds(t *testing.T) {
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) { return nil, nil })
	undone := make(chan string, 3)
	got, err := nodes[0].Quorum(t.Context(), hPeer, nil, 0, gridnode.Fanout{}, func(r gridnode.Result) { undone <- r.Peer })
	if err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	called := map[string]bool{<-undone: true, <-undone: true, <-undone: true}
	if len(called) != 3 {
		t.Errorf("called: %v", called)
	}
}

func TestQuorumUndoesEverythingIfThereIsNone(t *testing.T) {
	nodes := scripted(t, 4, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 1 {
			return nil, errors.New("no")
		}
		return nil, nil
	})
	undone := make(chan string, 4)
	_, err := nodes[0].Quorum(context.Background(), hPeer, nil, 3, gridnode.Fanout{}, func(r gridnode.Result) { undone <- r.Peer })
	if !errors.Is(err, gridnode.ErrNoQuorum) {
		t.Error(err)
	}
	got := map[string]bool{<-undone: true, <-undone: true}
	if !got[nodes[2].Local()] || !got[nodes[3].Local()] {
		t.Errorf("undone: %v", got)
	}
	if _, err := nodes[0].Quorum(context.Background(), hPeer, nil, 4, gridnode.Fanout{}, nil); !errors.Is(err, gridnode.ErrNoQuorum) {
		t.Error(err)
	}
}

func TestCloseDoesNotWaitForTheLateCallsOfAQuorum(t *testing.T) {
	nodes := scripted(t, 3, func(ctx context.Context, node int, req []byte) ([]byte, error) {
		if node == 2 {
			<-ctx.Done()
		}
		return nil, ctx.Err()
	})
	_, err := nodes[0].Quorum(context.Background(), hPeer, nil, 1, gridnode.Fanout{}, func(gridnode.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	var closing sync.WaitGroup
	closed := make(chan error, 1)
	closing.Go(func() { closed <- nodes[0].Close() })
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(8 * time.Second):
		t.Error("Close waits for a call that only Close can end")
		nodes[2].Close() // the call's other end
	}
	closing.Wait()
}
