package test

import (
	"context"
	"errors"
	"math"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// A Retryable that panics, or ends its goroutine, is an error of the calls that it was
// asked about, beside their own, with the stack in the log; no call is left without a
// result.
func TestARetryableThatPanicsIsThatCallsError(t *testing.T) {
	for name, c := range map[string]struct {
		retryable func(error) bool
		logged    string
	}{
		"panic":  {func(error) bool { panic("no idea") }, "no idea"},
		"goexit": {func(error) bool { runtime.Goexit(); return true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryLink(t, func(t *testing.T, n *rig) {
				var log logLines
				grid := n.cluster(t, 4, log.option(), single(hOwn, func(context.Context, []byte) ([]byte, error) { return nil, errLocked }))
				f := gridnode.Fanout{Limit: 1, Retry: gridnode.Retry{Attempts: 3, Pause: time.Millisecond, Retryable: c.retryable}}
				for i, r := range grid.Node(0).Broadcast(t.Context(), hOwn, nil, f) {
					wantIs(t, r.Err, gridnode.ErrPanic)
					if r.Peer != grid.Name(i+1) || c.logged != "" && !errors.Is(r.Err, errLocked) {
						t.Errorf("%+v", r)
					}
				}
				_, err := grid.Node(0).Quorum(t.Context(), hOwn, nil, 1, f, nil)
				wantIs(t, err, gridnode.ErrNoQuorum)
				if c.logged != "" && (log.count(c.logged) == 0 || log.count("fanout_faults_test.go") == 0) {
					t.Errorf("the log does not tell: %q", log.all())
				}
			})
		})
	}
}

// A peer has one vote, by however many names it is listed.
func TestAPeerThatIsListedTwiceHasOneVote(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var ran atomic.Int64
		g := n.group(t, 2, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			ran.Add(1)
			if peer == 2 {
				return nil, errLocked
			}
			return nil, nil
		})
		f := gridnode.Fanout{Peers: []string{g.Name(1), g.Name(1) + "/", g.Name(2), g.Name(1)}}
		got, err := g.node.Quorum(t.Context(), hOwn, nil, 2, f, nil)
		wantIs(t, err, gridnode.ErrNoQuorum)
		g.wantIdlePeers(t)
		calls := ran.Load()
		if calls > 2 || len(got) > 2 {
			t.Errorf("%d calls, %+v", calls, got)
		}
		if _, err := g.node.Quorum(t.Context(), hOwn, nil, 3, f, nil); !errors.Is(err, gridnode.ErrNoQuorum) || ran.Load() != calls {
			t.Errorf("%v, %d calls: 3 of 2 peers can never be", err, ran.Load()-calls)
		}
	})
}

// Nobody is called, to be undone at once, under a context that has ended.
func TestAQuorumUnderAContextThatHasEndedCallsNobody(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		var ran atomic.Int64
		g := n.group(t, 3, func(context.Context, int, []byte) ([]byte, error) { ran.Add(1); return nil, nil })
		cause := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		for range 20 {
			got, err := g.node.Quorum(ctx, hOwn, nil, 1, gridnode.Fanout{}, func(gridnode.Result) {})
			wantIs(t, err, context.Canceled)
			wantIs(t, err, cause)
			if len(got) != 0 {
				t.Errorf("%+v", got)
			}
		}
		<-time.After(time.Second)
		if ran.Load() != 0 {
			t.Errorf("%d calls", ran.Load())
		}
	})
}

// The longest pause there is does not overflow, however it is doubled and jittered.
func TestARetrysPauseNeverOverflows(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, pause := range []time.Duration{math.MaxInt64, math.MaxInt64/2 + 1, math.MaxInt64 / 3 * 2} {
			var ran atomic.Int64
			g := n.group(t, 4, func(context.Context, int, []byte) ([]byte, error) { ran.Add(1); return nil, gridnode.ErrOverloaded })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			for _, r := range g.node.Broadcast(ctx, hOwn, nil, gridnode.Fanout{Retry: gridnode.Retry{Attempts: 100, Pause: pause}}) {
				wantIs(t, r.Err, context.DeadlineExceeded)
			}
			cancel()
			if ran.Load() != 4 {
				t.Errorf("pause %v: %d calls, want one each", pause, ran.Load())
			}
		}
	})
}

// An error of Dial or Token that panics when it is asked what it is, as a nil pointer of
// a type with Unwrap does, ends that attempt and not the connection.
func TestACallbacksErrorThatPanicsIsAnAttemptThatFailed(t *testing.T) {
	for name, with := range map[string]func(cfg *gridnode.Config, first func() bool){
		"Dial": func(cfg *gridnode.Config, first func() bool) {
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if first() {
					return nil, (*net.OpError)(nil)
				}
				return dial(ctx, network, addr)
			}
		},
		"Token": func(cfg *gridnode.Config, first func() bool) {
			cfg.Token = func(context.Context, string) (string, error) {
				if first() {
					return "", (*net.OpError)(nil)
				}
				return "", nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n *rig) {
				var calls [2]atomic.Int64
				i := 0
				p := n.pair(t, config(func(cfg *gridnode.Config) {
					count := &calls[i%2]
					i++
					with(cfg, func() bool { return count.Add(1) <= 2 })
				}))
				_, err := p.conn.Request(background, hEcho, nil)
				wantIs(t, err, nil)
			})
		})
	}
}
