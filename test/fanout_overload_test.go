package test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// An overload that a handler has met in a call of its own is still an ErrOverloaded to
// its caller, but the handler has run, and is not called again. One that it makes itself
// is its word that it has done nothing.
func TestRetryNotWhatRanIntoAnOverload(t *testing.T) {
	for name, c := range map[string]struct {
		fails func(ctx context.Context, next *gridnode.Connection) error
		runs  int64
	}{
		"relayed": {func(ctx context.Context, next *gridnode.Connection) error {
			_, err := next.Request(ctx, hOwn2, nil)
			return err
		}, 1},
		"wrapped": {func(ctx context.Context, next *gridnode.Connection) error {
			_, err := next.Request(ctx, hOwn2, nil)
			return fmt.Errorf("next: %w", err)
		}, 1},
		"found by the handler's node": {func(ctx context.Context, next *gridnode.Connection) error {
			_, err := next.Request(ctx, hOwn3, nil)
			return err
		}, 1},
		"its own": {func(context.Context, *gridnode.Connection) error { return gridnode.ErrOverloaded }, 3},
		"its own, a text": {func(context.Context, *gridnode.Connection) error {
			return &gridnode.Error{Code: gridnode.CodeOverloaded, Message: "busy"}
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryLink(t, func(t *testing.T, n *rig) {
				var ran atomic.Int64
				var next atomic.Pointer[gridnode.Connection]
				c3 := n.cluster(t, 3, config(func(cfg *gridnode.Config) { cfg.ReceiveBudget = 200_000 }),
					gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
						return m.RegisterSingle(hOwn, func(ctx context.Context, _ []byte) ([]byte, error) {
							ran.Add(1)
							return nil, c.fails(ctx, next.Load())
						})
					}),
					single(hOwn2, func(context.Context, []byte) ([]byte, error) { return nil, gridnode.ErrOverloaded }),
					single(hOwn3, func(context.Context, []byte) ([]byte, error) { return make([]byte, 300_000), nil }))
				next.Store(c3.Conn(1, 2))
				f := gridnode.Fanout{Peers: []string{c3.Name(1)}, Retry: gridnode.Retry{Attempts: 3, Pause: time.Millisecond}}
				got := c3.Node(0).Broadcast(t.Context(), hOwn, nil, f)
				wantIs(t, got[0].Err, gridnode.ErrOverloaded)
				if ran.Load() != c.runs {
					t.Errorf("%v: it ran %d times, want %d", got[0].Err, ran.Load(), c.runs)
				}
			})
		})
	}
}
