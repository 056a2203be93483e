package test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// A tiny call beside a transfer of 64 MiB over 100 MB/s takes a few milliseconds.
func TestPromise8ATinyCallBesideALargeTransferIsFast(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, single(hOwn, func(context.Context, []byte) ([]byte, error) { return nil, nil }))
		size, percent, most := 64<<20, 99, 8*time.Millisecond
		if !n.virtual() { // busy processors, whose pauses the median does not show, and what the kernel buffers
			size, percent, most = 32<<20, 50, 100*time.Millisecond
		}
		p.link().Throttle(100 << 20)
		done := make(chan error, 1)
		go func() { // ends with the call
			_, err := p.conn.Request(background, hOwn, make([]byte, size))
			done <- err
		}()
		var took []time.Duration
		for len(done) == 0 {
			start := time.Now()
			wantEcho(t, p.conn, "tiny")
			took = append(took, time.Since(start))
			<-time.After(3 * time.Millisecond)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		slices.Sort(took)
		if len(took) < 20 {
			t.Fatalf("%d tiny calls: the test proves nothing", len(took))
		}
		if p := took[len(took)*percent/100]; p > most {
			t.Errorf("p%d of %d tiny calls is %v, want at most %v", percent, len(took), p, most)
		}
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
		p.link().Throttle(0)
	})
}

// A link that moves bytes, however slowly, is not given up: 4 MiB over 10 KB/s take
// seven minutes, and a tiny call beside it passes.
func TestPromise8ALinkThatMovesIsNeverKilled(t *testing.T) {
	t.Parallel() // with other tests that only wait
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		p.link().Throttle(10_000)
		ctx, cancel := context.WithTimeout(background, time.Hour)
		defer cancel()
		done := make(chan error, 1)
		start := time.Now()
		go func() { // ends with the call
			_, err := p.conn.Request(ctx, hEcho, make([]byte, 4<<20))
			done <- err
		}()
		tiny, err := p.conn.Request(ctx, hEcho, []byte("tiny"))
		if err != nil || string(tiny) != "tiny" {
			t.Errorf("the tiny call: %q, %v", tiny, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 5*time.Minute {
			t.Errorf("it took %v: the test proves nothing", took)
		}
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
		p.link().Throttle(0)
	})
}

// The same over real sockets: for longer than a silent peer would be left alone.
func TestPromise8ASlowSocketIsNotKilled(t *testing.T) {
	atOnce(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		p := n.pair(t, pings(200*time.Millisecond)) // given up after 800 ms; each way takes 1 s
		p.link().Throttle(500_000)
		if _, err := p.conn.Request(background, hEcho, make([]byte, 500_000)); err != nil {
			t.Error(err)
		}
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
		p.link().Throttle(0)
	})
}

// Nor is one whose queue is never empty: its socket has room again only after seconds.
func TestPromise8ASlowSocketWithAQueueIsNotKilled(t *testing.T) {
	atOnce(t, []network{tcp, overTLS}, func(t *testing.T, n *rig) {
		p := n.pair(t, pings(500*time.Millisecond), config(func(cfg *gridnode.Config) { cfg.CallTimeout = -1 }))
		p.link().Throttle(100_000)
		ctx, cancel := context.WithTimeout(background, 5*time.Second)
		defer cancel()
		var callers sync.WaitGroup
		for range 500 {
			callers.Go(func() {
				for ctx.Err() == nil {
					if _, err := p.conn.Request(ctx, hEcho, make([]byte, 3000)); err != nil {
						wantIs(t, err, context.DeadlineExceeded)
						return
					}
				}
			})
		}
		callers.Wait()
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
		p.link().Throttle(0)
	})
}
