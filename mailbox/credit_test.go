package mailbox_test

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/mailbox"
)

func window(n int64) *mailbox.Credit {
	c := new(mailbox.Credit)
	c.Init(n)
	return c
}

func wantAvailable(t *testing.T, c *mailbox.Credit, want int64) {
	t.Helper()
	if got := c.Available(); got != want {
		t.Errorf("Available() = %d, want %d", got, want)
	}
}

func TestCreditGivesExactlyItsAmount(t *testing.T) {
	c := window(3)
	for range 3 {
		if !c.TryTake() {
			t.Fatal("TryTake refused within the window")
		}
	}
	if c.TryTake() {
		t.Error("TryTake beyond the window")
	}
	wantErr(t, "Take beyond the window", c.Take(ended()), errTest)
	c.Return(2)
	wantErr(t, "TakeN", c.TakeN(ended(), 2), nil)
	wantAvailable(t, c, 0)
}

func TestCreditTakesAllOrNothing(t *testing.T) {
	c := window(3)
	wantErr(t, "TakeN", c.TakeN(ended(), 4), errTest)
	wantAvailable(t, c, 3)
}

func TestCreditOfNothingIsFreeAndChangesNothing(t *testing.T) {
	c := window(0)
	for _, n := range []int64{0, -1, math.MinInt64} {
		wantErr(t, "TakeN", c.TakeN(context.Background(), n), nil)
		c.Return(n)
		wantAvailable(t, c, 0)
	}
}

func TestCreditDoesNotOverflow(t *testing.T) {
	c := window(5)
	c.Return(math.MaxInt64)
	wantAvailable(t, c, math.MaxInt64)
	wantErr(t, "TakeN", c.TakeN(context.Background(), 10), nil)
	c.Return(20)
	wantAvailable(t, c, math.MaxInt64)
}

func TestCreditDoesNotLetSmallAmountsOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := window(2)
		var order []int64
		for _, n := range []int64{5, 1, 2} {
			go func() { c.TakeN(context.Background(), n); order = append(order, n) }()
			synctest.Wait()
		}
		if c.TryTake() {
			t.Error("TryTake overtook those that wait")
		}
		if order != nil {
			t.Errorf("%v overtook", order)
		}
		c.Return(3)
		synctest.Wait()
		if len(order) != 1 || order[0] != 5 {
			t.Errorf("after 5 were there: %v", order)
		}
		c.Return(1)
		synctest.Wait()
		c.Return(2)
		synctest.Wait()
		if len(order) != 3 || order[1] != 1 || order[2] != 2 {
			t.Errorf("at the end: %v", order)
		}
		wantAvailable(t, c, 0)
	})
}

func TestCreditServesThoseBehindOneThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := window(2)
		ctx, cancel := context.WithCancelCause(t.Context())
		errs, behind := make(chan error, 1), make(chan error, 1)
		go func() { errs <- c.TakeN(ctx, 5) }()
		synctest.Wait()
		go func() { behind <- c.TakeN(t.Context(), 2) }()
		synctest.Wait()
		cancel(errTest)
		wantErr(t, "the one that gave up", <-errs, errTest)
		wantErr(t, "the one behind", <-behind, nil)
		wantAvailable(t, c, 0)
	})
}

// A grant and the end of the context together: either it is returned as taken, or it
// is back in the window.
func TestCreditIsNeverLostToAnEndedContext(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			c := window(0)
			ctx, cancel := context.WithCancel(t.Context())
			errs := make(chan error, 1)
			go func() { errs <- c.TakeN(ctx, 3) }()
			synctest.Wait()
			cancel() // from here the taker's select is decided, but it has yet to run
			c.Return(3)
			if <-errs == nil {
				c.Return(3)
			}
			wantAvailable(t, c, 3)
		})
	}
}

func TestCreditCloseTellsAllWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := window(1)
		errs := make(chan error, 5)
		for range 5 {
			go func() { errs <- c.TakeN(context.Background(), 2) }()
		}
		synctest.Wait()
		c.Close(errTest)
		c.Close(nil)
		for range 5 {
			wantErr(t, "waiting", <-errs, errTest)
		}
		wantErr(t, "later", c.Take(context.Background()), errTest)
		if c.TryTake() {
			t.Error("TryTake after Close")
		}
		c.Return(1) // of what was out
		wantAvailable(t, c, 2)
	})
	c := window(1)
	c.Close(nil)
	wantErr(t, "without cause", c.Take(context.Background()), mailbox.ErrClosed)
}

func TestCreditCloseIsNotMistakenForAnEarlierGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := window(0)
		errs := make(chan error)
		take := func() { errs <- c.Take(context.Background()) }
		go take()
		synctest.Wait()
		c.Return(1)
		wantErr(t, "granted", <-errs, nil)
		go take()
		synctest.Wait()
		c.Close(errTest)
		wantErr(t, "closed", <-errs, errTest)
	})
}

func TestCreditNeverHasMoreOutThanTheWindow(t *testing.T) {
	const size = 7
	c := window(size)
	var out atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			n := int64(i%size + 1)
			for range 500 {
				if err := c.TakeN(context.Background(), n); err != nil {
					t.Error(err)
				}
				if now := out.Add(n); now > size {
					t.Errorf("%d out", now)
				}
				out.Add(-n)
				c.Return(n)
			}
		})
	}
	wg.Wait()
	wantAvailable(t, c, size)
}

func TestCreditTryTakesAllOrNothing(t *testing.T) {
	var c mailbox.Credit
	c.Init(10)
	for _, take := range []struct {
		n    int64
		ok   bool
		left int64
	}{{11, false, 10}, {0, true, 10}, {-1, true, 10}, {7, true, 3}, {4, false, 3}, {3, true, 0}} {
		if c.TryTakeN(take.n) != take.ok || c.Available() != take.left {
			t.Errorf("TryTakeN(%d) is %v, %d left", take.n, !take.ok, c.Available())
		}
	}
	c.Close(nil)
	if c.Return(5); c.TryTakeN(1) {
		t.Error("taken after the end")
	}
}
