package test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// 24-01-27 c51f9ef94, 7743d952d: after an exchange what one side has sent is what the
// other has received, in bytes and in messages, both ways.
func TestCountersOfBothSidesAgree(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		before := p.conn.Stats()
		for i := range 100 {
			if _, err := p.conn.Request(t.Context(), hEcho, make([]byte, i*i*10)); err != nil {
				t.Fatal(err)
			}
		}
		wantMuxEcho(t, p.back, hEchoMux, 100)
		var a, b gridnode.ConnectionStats
		eventually(t, "the counters agree", func() bool {
			a, b = p.conn.Stats(), p.back.Stats()
			return a.BytesOut == b.BytesIn && b.BytesOut == a.BytesIn && a.BatchesOut == b.BatchesIn && b.BatchesOut == a.BatchesIn
		})
		const payloads = 3_283_500 // the sum of the requests above
		if in, out := a.BytesIn-before.BytesIn, a.BytesOut-before.BytesOut; in < payloads || in > payloads*11/10 || out < payloads || out > payloads*11/10 {
			t.Errorf("%d bytes in, %d out, for %d of payload each way", in, out, payloads)
		}
	})
}

// 24-01-17 479940b7d: one huge message, then small ones: the heap is back where it was.
func TestAHugeMessageLeavesNoMemoryBehind(t *testing.T) {
	onEach(t, []network{tcp, overTLS, loopback}, func(t *testing.T, n *rig) {
		p := n.pair(t, single(hOwn, func(_ context.Context, req []byte) ([]byte, error) { return req[:1], nil }))
		small := func() {
			for range 200 {
				wantEcho(t, p.conn, "small")
			}
		}
		small()
		before := heap()
		for range 2 {
			if _, err := p.conn.Request(t.Context(), hOwn, make([]byte, 64<<20/min(underRace, 4))); err != nil {
				t.Fatal(err)
			}
		}
		small()
		p.wantIdle(t)
		wantHeap(t, before)
	})
}

// heap is what is alive.
func heap() int64 {
	var m runtime.MemStats
	for range 3 { // what pools hold goes with the second collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// wantHeap waits until no more than 4 MiB are alive beyond those before: a goroutine that
// has answered its caller may not have let go of the message yet.
func wantHeap(t *testing.T, before int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		grown := heap() - before
		if grown <= 4<<20 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d KiB more than before", grown>>10)
		}
	}
}

// 24-11-16 e8a476ef5: a 4 KiB request costs its copies and little else.
func TestALargerRequestCostsLittleMoreThanItsCopies(t *testing.T) {
	if underRace > 1 {
		t.Log("the race detector's own allocations are not measured")
		return
	}
	onEach(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		p := n.pair(t)
		const size, calls = 4 << 10, 2000
		req := make([]byte, size)
		perCall := func() uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range calls {
				if _, err := p.conn.Request(background, hEcho, req); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			return (after.TotalAlloc - before.TotalAlloc) / calls
		}
		perCall()
		const copies = 4 // the request's and the response's, and those of the test's network
		if b := perCall(); b > copies*size+4000 {
			t.Errorf("%d bytes a call, want the copies of %d and little more", b, size)
		}
	})
}

// PR 20876 for issue 20862: calls above the limit are refused at once with an error
// that is safe to retry, handlers are bounded, and nothing is left of it afterwards.
func TestOverloadIsRefusedAtOnceAndPasses(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		const limit, offered = 50, 1000
		release := make(chan struct{})
		var running gauge
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.MaxMuxesPerPeer = limit }),
			single(hOwn, func(context.Context, []byte) ([]byte, error) {
				running.enter()
				defer running.leave()
				<-release
				return nil, nil
			}))
		start, ends := time.Now(), make(chan error, offered)
		for range offered {
			go func() { // ends with its call
				_, err := p.conn.Request(background, hOwn, nil)
				ends <- err
			}()
		}
		for range offered - limit {
			wantIs(t, receive(t, "the excess is refused", ends), gridnode.ErrOverloaded)
		}
		n.wantWithin(t, "the refusals", start, 0)
		close(release)
		for range limit {
			if err := receive(t, "the others finish", ends); err != nil {
				t.Error(err)
			}
		}
		if most := running.most(); most > limit {
			t.Errorf("%d handlers at once, limit %d", most, limit)
		}
		p.wantIdle(t)
		wantEcho(t, p.conn, "afterwards")
	})
}

// gauge counts what runs at once.
type gauge struct {
	mu        sync.Mutex
	now, high int
}

func (g *gauge) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now++
	g.high = max(g.high, g.now)
}

func (g *gauge) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
}

func (g *gauge) most() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.high
}

// 24-02-04 100c35c28: a peer that is down for an hour costs a few lines of log, and so
// do callers that try it.
func TestAPeerThatIsDownCostsFewLogLines(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		var log logLines
		p := n.pair(t, log.option())
		p.Stop(n.handlers)
		before := log.count("")
		for range 3600 {
			<-time.After(time.Second)
			_, err := p.conn.Request(background, hEcho, nil)
			wantIs(t, err, gridnode.ErrNotSent)
		}
		if lines := log.count("") - before; lines > 10 {
			t.Errorf("%d lines:\n%s", lines, strings.Join(log.all(), "\n"))
		}
	})
}
