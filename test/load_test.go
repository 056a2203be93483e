package test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// 24-02-28 40fb3371f: ten thousand streams at full load: exactly N items each, in order,
// then a clean end; all readers are there at once.
func TestTenThousandStreamsLoseNothing(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		streams, items := 10_000/underRace, 10
		if n.kind != tcp.kind {
			streams /= 4
		}
		p := n.pair(t)
		var readers sync.WaitGroup
		for i := range streams {
			form := i % 4
			readers.Go(func() {
				if form == 0 {
					st, err := p.conn.NewStream(background, hCount, numbered(items))
					if err != nil {
						t.Error(err)
						return
					}
					wantResults(t, st, items)
					return
				}
				st, err := p.conn.OpenMux(background, hCount, numbered(items))
				if err != nil {
					t.Error(err)
					return
				}
				got := 0
				for msg, err := range st.All(background) {
					if err != nil || !isNumber(msg, got) {
						t.Errorf("item %d: %v, %v", got, msg, err)
						return
					}
					got++
				}
				if got != items {
					t.Errorf("a clean end after %d items of %d", got, items)
				}
			})
		}
		readers.Wait()
	})
}

// 25-04-10 02a67cbd2: capacities 1 to 100, a slow consumer, and a handler that ends at
// once: all items, then the clean end.
func TestASlowConsumerOfAFinishedHandlerGetsAll(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		var capacities []int
		for c := 1; c <= 100; c += underRace {
			capacities = append(capacities, c)
		}
		p := n.pair(t, capacityHandlers(capacities))
		var readers sync.WaitGroup
		for _, c := range capacities {
			readers.Go(func() {
				st, err := p.conn.Subroute(fmt.Sprint(c)).NewStream(background, hOwn, numbered(c))
				if err != nil {
					t.Error(err)
					return
				}
				got := 0
				err = st.Results(func(msg []byte) error {
					if !isNumber(msg, got) {
						t.Errorf("capacity %d: item %d is %v", c, got, msg)
					}
					got++
					if got%10 == 1 {
						<-time.After(time.Millisecond)
					}
					return nil
				})
				if err != nil || got != c {
					t.Errorf("capacity %d: %d items, %v", c, got, err)
				}
			})
		}
		readers.Wait()
	})
}

// 25-04-18 fb3f67a59: ten thousand concurrent calls that fail with texts of their own:
// each text arrives whole.
func TestTenThousandErrorTextsStayIntact(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		var callers sync.WaitGroup
		for i := range 10_000 / underRace {
			callers.Go(func() {
				text := fmt.Sprintf("error %d: %s", i, strings.Repeat(string(rune('a'+i%26)), i%200))
				_, err := p.conn.Request(background, hFail, []byte(text))
				var e *gridnode.Error
				if !errors.As(err, &e) || e.Message != text {
					t.Errorf("%q arrived as %v", text, err)
				}
			})
		}
		callers.Wait()
	})
}

// 24-02-02 63bf5f42a, 9bcc46d93: any number of calls, plain, routed, expired, failing and
// cancelled, under one context that lives on: the heap stays where it was.
func TestManyCallsUnderOneContextLeaveAFlatHeap(t *testing.T) {
	onEach(t, []network{tcp, loopback}, func(t *testing.T, n *rig) {
		p := n.pair(t, single(hOwn, echo, "a", "route"))
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		const callers = 16
		calls := 100_000 / underRace
		round := func() {
			var all sync.WaitGroup
			var next atomic.Int64
			for range callers {
				all.Go(func() {
					for i := next.Add(1); i <= int64(calls); i = next.Add(1) {
						p.anyCall(t, ctx, int(i))
					}
				})
			}
			all.Wait()
			p.wantIdle(t)
		}
		calls /= 10
		round() // pools and tables have grown after this
		before, goroutines := heap(), runtime.NumGoroutine()
		calls *= 10
		round()
		wantHeap(t, before)
		eventually(t, "goroutines are as many as before", func() bool { return runtime.NumGoroutine() <= goroutines+callers })
	})
}

// anyCall makes the i-th call of a row of all kinds.
func (p *pair) anyCall(t *testing.T, ctx context.Context, i int) {
	var err error
	switch i % 20 {
	case 0:
		expired, cancel := context.WithTimeout(ctx, 50*time.Microsecond)
		_, err = p.conn.Request(expired, hHang, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("expired: %v", err)
		}
	case 1:
		if _, err = p.conn.Request(ctx, hFail, []byte("x")); err == nil {
			t.Error("no error")
		}
	case 2:
		st, err := p.conn.OpenMux(ctx, hCount, number(2))
		for err == nil {
			_, err = st.Recv(ctx)
		}
	case 3:
		st, err := p.conn.OpenMux(ctx, hEchoMux, number(2))
		if err != nil {
			t.Error(err)
			return
		}
		st.Cancel(nil)
	case 4, 5, 6, 7:
		if _, err = p.conn.Subroute("a/route").Request(ctx, hOwn, []byte("x")); err != nil {
			t.Errorf("routed: %v", err)
		}
	default:
		if _, err = p.conn.Request(ctx, hEcho, []byte("x")); err != nil {
			t.Errorf("plain: %v", err)
		}
	}
}
