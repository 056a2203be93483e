package test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// undone collects what Quorum gives back.
type undone struct {
	mu    sync.Mutex
	peers []string
}

func (u *undone) undo(r gridnode.Result) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.peers = append(u.peers, r.Peer)
}

func (u *undone) want(t *testing.T, names ...string) {
	t.Helper()
	slices.Sort(names)
	eventually(t, "the answers are undone", func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		slices.Sort(u.peers)
		return slices.Equal(u.peers, names)
	})
}

// D 2: a quorum returns as soon as enough have answered; who answers later is undone,
// whoever fails is not.
func TestQuorumUndoesLateAnswers(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		g := n.group(t, 5, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			if peer > 3 {
				<-release
			}
			if peer == 5 {
				return nil, errLocked
			}
			return []byte("granted"), nil
		})
		var u undone
		ctx, cancel := context.WithCancel(background)
		results, err := g.node.Quorum(ctx, hOwn, nil, 3, gridnode.Fanout{}, u.undo)
		granted := 0
		for _, r := range results {
			if r.Err == nil && string(r.Resp) == "granted" {
				granted++
			}
		}
		if err != nil || granted != 3 {
			t.Errorf("%d granted, %v", granted, err)
		}
		cancel() // a lock that is granted after its caller has left must be undone all the same
		close(release)
		u.want(t, g.Name(4))
		g.wantIdlePeers(t)
	})
}

// A quorum that has become impossible fails at once, and everything granted is undone,
// the late answers too.
func TestQuorumThatIsImpossibleIsUndone(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		release, granted := make(chan struct{}), make(chan struct{}, 2)
		g := n.group(t, 5, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			switch peer {
			case 1, 2:
				granted <- struct{}{}
				return nil, nil
			case 3:
				<-release
				return nil, nil
			}
			<-granted // so that both have been granted before it fails
			return nil, errLocked
		})
		var u undone
		results, err := g.node.Quorum(t.Context(), hOwn, nil, 4, gridnode.Fanout{}, u.undo)
		wantIs(t, err, gridnode.ErrNoQuorum)
		failed := 0
		for _, r := range results {
			if r.Err != nil {
				wantIs(t, r.Err, errLocked)
				failed++
			}
		}
		if failed != 2 {
			t.Errorf("%d failures among the results %v, want 2", failed, results)
		}
		close(release)
		u.want(t, g.Name(1), g.Name(2), g.Name(3))

		_, err = g.node.Quorum(t.Context(), hOwn, nil, 6, gridnode.Fanout{}, u.undo)
		wantIs(t, err, gridnode.ErrNoQuorum) // more than there are peers: nobody is asked
		u.want(t, g.Name(1), g.Name(2), g.Name(3))
		g.wantIdlePeers(t)
	})
}

// The end of the context ends the waiting, not the undoing.
func TestQuorumWhoseContextEndsIsUndone(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(background)
		release, waiting := make(chan struct{}), make(chan struct{}, 2)
		g := n.group(t, 3, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			if peer > 1 {
				waiting <- struct{}{}
				<-release
			}
			return nil, nil
		})
		go func() { // ends when both have been asked
			<-waiting
			<-waiting
			cancel(gone)
		}()
		var u undone
		_, err := g.node.Quorum(ctx, hOwn, nil, 2, gridnode.Fanout{}, u.undo)
		wantIs(t, err, gone)
		wantIs(t, err, context.Canceled)
		close(release)
		u.want(t, g.Name(1), g.Name(2), g.Name(3))
		g.wantIdlePeers(t)
	})
}

// Without an undo the calls that are still under way are cancelled.
func TestQuorumWithoutUndoCancelsTheRest(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		left := make(chan error, 1)
		waiting := make(chan struct{})
		g := n.group(t, 3, func(ctx context.Context, peer int, _ []byte) ([]byte, error) {
			if peer < 3 {
				<-waiting
				return nil, nil
			}
			close(waiting)
			<-ctx.Done()
			left <- context.Cause(ctx)
			return nil, ctx.Err()
		})
		if _, err := g.node.Quorum(t.Context(), hOwn, nil, 2, gridnode.Fanout{}, nil); err != nil {
			t.Error(err)
		}
		wantIs(t, receive(t, "the third one's context ends", left), context.Canceled)
		g.wantIdlePeers(t)
	})
}

// Close waits for what is undone, and the undoing never runs twice at once.
func TestCloseWaitsForTheUndoing(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		g := n.group(t, 3, func(context.Context, int, []byte) ([]byte, error) { return nil, nil })
		var u undone
		begun, release := make(chan struct{}, 3), make(chan struct{})
		_, err := g.node.Quorum(t.Context(), hOwn, nil, 1, gridnode.Fanout{}, func(r gridnode.Result) {
			begun <- struct{}{}
			<-release
			u.undo(r)
		})
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "the undoing begins", begun)
		closed := make(chan error, 1)
		go func() { closed <- g.node.Close() }() // ends after release
		select {
		case err := <-closed:
			t.Errorf("Close did not wait: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(release)
		if err := receive(t, "Close returns", closed); err != nil {
			t.Error(err)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if len(u.peers) == 0 {
			t.Error("nothing was undone")
		}
	})
}
