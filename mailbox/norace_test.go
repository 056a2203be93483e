//go:build !race

package mailbox_test

import (
	"context"
	"testing"

	"github.com/actorgrid/actorgrid/mailbox"
)

const raceEnabled = false

func wantNoAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, f); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

func TestOperationsThatFindWhatTheyNeedDoNotAllocate(t *testing.T) {
	ctx := context.Background()
	b, c := mailbox.New[[]byte](8), window(8)
	m := make([]byte, 8)
	wantNoAllocs(t, "TryPut, TryGet", func() { b.TryPut(m); b.TryGet() })
	wantNoAllocs(t, "Put, Get", func() { b.Put(ctx, m); b.Get(ctx) })
	wantNoAllocs(t, "PutDropOldest", func() { b.PutDropOldest(m) })
	wantNoAllocs(t, "TryTake, Return", func() { c.TryTake(); c.Return(1) })
	wantNoAllocs(t, "TakeN, Return", func() { c.TakeN(ctx, 8); c.Return(8) })
}

func TestWaitingDoesNotAllocateAfterTheFirstTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := mailbox.New[int](1), mailbox.New[int](1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := a.Get(ctx)
			if err != nil {
				return
			}
			b.Put(ctx, m)
		}
	}()
	wantNoAllocs(t, "round trip", func() { a.Put(ctx, 1); b.Get(ctx) })
	cancel()
	<-done
}

// A mailbox that was never used costs its struct, and one that is used little has a
// small ring whatever its capacity.
func TestRingGrowsWithUseAndNotWithCapacity(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var b mailbox.Mailbox[int]
		b.Init(1 << 30)
		b.TryPut(1)
	}); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
