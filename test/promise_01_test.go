package test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// end classifies how a call ended: by exactly one of the ways that are promised.
func end(resp []byte, err error) string {
	var ways []string
	if err == nil {
		return "result"
	}
	if resp != nil {
		ways = append(ways, "result")
	}
	for _, w := range []struct {
		name string
		is   error
	}{
		{"deadline", context.DeadlineExceeded}, {"cancelled", context.Canceled},
		{"disconnected", gridnode.ErrDisconnected}, {"overloaded", gridnode.ErrOverloaded},
	} {
		if errors.Is(err, w.is) {
			ways = append(ways, w.name)
		}
	}
	if errors.Is(err, gridnode.ErrNotSent) {
		ways[len(ways)-1] = "not sent"
	}
	var e *gridnode.Error
	if errors.As(err, &e) && e.Code == gridnode.CodeApplication && e.Remote {
		ways = append(ways, "remote error")
	}
	if len(ways) != 1 {
		return "ambiguous: " + err.Error()
	}
	return ways[0]
}

// Each way to end, produced on purpose, is that way and no other.
func TestPromise1ACallEndsInExactlyOneWay(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		w := n.watchedWith(t, config(func(cfg *gridnode.Config) { cfg.MaxMuxesPerPeer = 1 }))
		want := func(way string, resp []byte, err error) {
			t.Helper()
			if got := end(resp, err); got != way {
				t.Errorf("%s, want %s: %q, %v", got, way, resp, err)
			}
		}
		call := func(ctx context.Context, h gridnode.HandlerID) ([]byte, error) {
			return w.conn.Request(ctx, h, []byte("x"))
		}
		resp, err := call(background, hEcho)
		want("result", resp, err)
		w.wantIdle(t)
		resp, err = call(background, hFail)
		want("remote error", resp, err)
		w.wantIdle(t)
		ctx, cancel := context.WithTimeout(background, n.unhurried(20*time.Millisecond))
		resp, err = call(ctx, hWatchSingle)
		cancel()
		want("deadline", resp, err)
		if !w.ran(t) && n.virtual() {
			t.Error("the handler did not run before the deadline")
		}

		ctx, cancel = context.WithCancel(background)
		cancelled, full := make(chan func(), 1), make(chan func(), 1)
		go func() { // ends with the call
			resp, err := call(ctx, hWatchSingle)
			cancelled <- func() { want("cancelled", resp, err) }
		}()
		receive(t, "the second handler runs", w.entered)
		resp, err = call(background, hEcho) // one at a time
		want("overloaded", resp, err)
		cancel()
		receive(t, "the call ends", cancelled)()
		w.wantIdle(t)

		go func() { // ends with the call
			resp, err := call(background, hWatchSingle)
			full <- func() { want("disconnected", resp, err) }
		}()
		receive(t, "the third handler runs", w.entered)
		w.link().Partition()
		receive(t, "the call ends", full)()
		eventually(t, "the connection is down", func() bool { return w.conn.State() != gridnode.StateConnected })
		resp, err = call(background, hEcho)
		want("not sent", resp, err)
		w.link().Heal()
		w.serves(t)
	})
}

// cuts cuts the link every 20 ms until ctx ends; less often where the machine is so slow
// that no results come in between.
func (p *pair) cuts(ctx context.Context, results *atomic.Int64) {
	const usual = 20 * time.Millisecond
	calm := usual
	for p.conn.WaitForConnect(ctx) == nil { // however long a handshake takes here
		before := results.Load()
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm):
			p.link().Cut()
		}
		if calm *= 2; results.Load() > before {
			calm = usual
		}
	}
}

// In a storm of cancellations, deadlines, failures and cuts every call ends in one way,
// and "not sent" is never said of a call that has run.
func TestPromise1InAStormEveryCallEndsInExactlyOneWay(t *testing.T) {
	atOnce(t, links, func(t *testing.T, n *rig) {
		var mu sync.Mutex
		ran := map[uint64]int{}
		p := n.pair(t, quickReturn(), single(hOwn, func(ctx context.Context, req []byte) ([]byte, error) {
			id := numberOf(req)
			mu.Lock()
			ran[id]++
			mu.Unlock()
			if id%3 == 0 {
				return nil, errUnwritten
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(id%5) * time.Millisecond):
				return req, nil
			}
		}))
		ctx, stop := context.WithCancel(background)
		var storm, callers sync.WaitGroup
		var results atomic.Int64
		storm.Go(func() { p.cuts(ctx, &results) }) // ends with stop
		var seen sync.Map
		for caller := range 8 {
			callers.Go(func() {
				for i := range 600 / underRace {
					id := uint64(caller*10_000 + i)
					deadline := time.Duration(1+rand.N(8)) * time.Millisecond
					if i%8 == 1 {
						deadline = patience // however slow the machine, there are results
					}
					ctx, cancel := context.WithTimeout(background, deadline)
					if i%4 == 0 {
						time.AfterFunc(time.Millisecond, cancel)
					}
					resp, err := p.conn.Request(ctx, hOwn, number(id))
					cancel()
					way := end(resp, err)
					seen.Store(way, true)
					if way == "result" {
						results.Add(1)
					}
					mu.Lock()
					times := ran[id]
					mu.Unlock()
					switch {
					case len(way) > 12:
						t.Errorf("call %d: %s", id, way)
					case way == "result" && numberOf(resp) != id:
						t.Errorf("call %d got the response of %d", id, numberOf(resp))
					case way == "not sent" && times > 0:
						t.Errorf("call %d has run, and says it was not sent: %v", id, err)
					case way == "not sent":
						p.conn.WaitForConnect(background)
					}
				}
			})
		}
		callers.Wait()
		stop()
		storm.Wait()
		for _, way := range []string{"result", "remote error"} {
			if _, ok := seen.Load(way); !ok {
				t.Errorf("no call ended in %s: the storm proves nothing", way)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for id, times := range ran {
			if times != 1 {
				t.Errorf("call %d has run %d times", id, times)
			}
		}
		p.serves(t)
	})
}
