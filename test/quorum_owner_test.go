package test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// Promise 11 for a quorum that has not come about: the caller has its results, and undo
// has its own, whatever either does with them meanwhile.
func TestPromise11WhatIsUndoneIsNotTheCallersResults(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		const size = 5000
		g := n.group(t, 4, func(_ context.Context, peer int, _ []byte) ([]byte, error) {
			if peer > 2 {
				return nil, errLocked
			}
			return patterned(size, peer), nil
		})
		for i := range 20 {
			var undoing sync.WaitGroup
			undo := func(r gridnode.Result) {
				defer undoing.Done()
				if err := intact(r.Resp, size, 1+slices.Index([]string{g.Name(1), g.Name(2)}, r.Peer)); err != nil {
					t.Error(err)
				}
				gridnode.Recycle(r.Resp)
			}
			if undoing.Add(2); i%2 == 0 {
				undo = nil
				undoing.Add(-2)
			}
			results, err := g.node.Quorum(t.Context(), hOwn, nil, 4, gridnode.Fanout{Limit: 1}, undo)
			if err == nil || len(results) == 0 {
				t.Errorf("%d results, %v", len(results), err)
			}
			for i, r := range results {
				if r.Err == nil && !bytes.Equal(r.Resp[:1], r.Resp[size-1:]) {
					t.Errorf("the response of %s has changed", r.Peer)
				}
				fill(r.Resp, 'x')
				results[i] = gridnode.Result{}
			}
			undoing.Wait()
		}
	})
}
