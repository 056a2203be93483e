package test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// E15: nothing arrives any more, in either direction: streams and calls end at the
// caller, and the handlers' contexts at the other side, by missed pings.
func TestAFrozenLinkEndsEverythingAtBothSides(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		w := n.watchedWith(t, quickDeath())
		one := openChannels(t, background, w.conn, hWatchOneWay, nil)
		two := openChannels(t, background, w.conn, hWatchTwoWay, nil)
		ended := make(chan error, 1)
		go func() { // ends with the call
			_, err := w.conn.Request(background, hWatchSingle, nil)
			ended <- err
		}()
		for range 3 {
			receive(t, "the handlers run", w.entered)
		}
		start := time.Now()
		w.link().Stall()
		for _, st := range []*gridnode.Stream{one, two} {
			wantLastError(t, st, gridnode.ErrDisconnected)
		}
		wantIs(t, receive(t, "the call ends", ended), gridnode.ErrDisconnected)
		for range 3 {
			w.wantLeft(t, gridnode.ErrDisconnected)
		}
		n.wantWithin(t, "the end of all", start, 400*time.Millisecond)
		close(two.Requests)
		w.link().Resume()
		w.serves(t)
	})
}

// 24-05-09 67bd71b7a: a peer that hangs right after a reconnect is noticed within the
// normal time, again and again.
func TestAHangRightAfterAReconnectIsNoticed(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		w := n.watchedWith(t, quickDeath())
		for range 3 {
			w.link().Cut()
			w.serves(t)
			ended := make(chan error, 1)
			go func() { // ends with the call
				_, err := w.conn.Request(background, hWatchSingle, nil)
				ended <- err
			}()
			receive(t, "the handler runs", w.entered)
			start := time.Now()
			w.link().Stall()
			wantIs(t, receive(t, "the call ends", ended), gridnode.ErrDisconnected)
			n.wantWithin(t, "the end of the call", start, 400*time.Millisecond)
			w.wantLeft(t, gridnode.ErrDisconnected)
			w.link().Resume()
			w.serves(t)
		}
	})
}

// 24-02-06 22687c1f5, 24-05-23 7c7650b7c: a peer that hangs, with the defaults: every
// kind of call ends within 10 s, and the state leaves connected, while callers keep
// writing into the link.
func TestAHungPeerIsGivenUpWithinTenSeconds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		w := n.watched(t)
		one := openChannels(t, background, w.conn, hWatchOneWay, nil)
		receive(t, "the handler runs", w.entered)
		<-time.After(time.Minute) // idle until then
		start := time.Now()
		w.link().Stall()
		var callers sync.WaitGroup
		for i := range 100 { // more than the window of the link
			callers.Go(func() {
				_, err := w.conn.Request(background, hEcho, make([]byte, 1000*i))
				wantIs(t, err, gridnode.ErrDisconnected)
			})
		}
		wantLastError(t, one, gridnode.ErrDisconnected)
		w.wantLeft(t, gridnode.ErrDisconnected)
		callers.Wait()
		n.wantWithin(t, "the end of all", start, 10*time.Second)
		if s := w.conn.State(); s == gridnode.StateConnected {
			t.Errorf("the state is %v", s)
		}
		w.link().Resume()
		w.serves(t)
	})
}

// 24-02-21 22aa16ab1, 24-06-20 3415c4dd1: callers without number fill the queues of a
// link that stalls, in both directions and with the smallest queues; then it is cut
// and comes back: all of them return, and calls go through again. The reader's own
// answers are part of the flood: pongs, credit, refusals, replies.
func TestAFloodIntoFullQueuesSurvivesACut(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) {
			cfg.QueueLimit, cfg.Window = 64<<10, 128<<10
			cfg.MaxMuxesPerPeer = 500 // what is above gets a refusal from the reader
		}))
		p.link().Stall()
		var callers sync.WaitGroup
		var cut atomic.Bool
		for i := range 2 * 2000 {
			from := []*gridnode.Connection{p.conn, p.back}[i%2]
			callers.Go(func() {
				_, err := from.Request(background, hEcho, make([]byte, 2000))
				wantLost(t, err)
			})
			if i%20 < 2 {
				callers.Go(func() { wantLost(t, flood(from, &cut)) })
			}
		}
		eventually(t, "the queues are full", func() bool {
			return p.conn.Stats().QueuedBytes > 64<<10 && p.back.Stats().QueuedBytes > 64<<10
		})
		cut.Store(true)
		p.link().Cut()
		p.link().Resume()
		callers.Wait()
		p.serves(t)
	})
}

// flood sends through a stream until it ends, which one that comes after the cut does
// not.
func flood(from *gridnode.Connection, cut *atomic.Bool) error {
	st, err := from.OpenMux(background, hEchoMux, make([]byte, 2000))
	for err == nil && !cut.Load() {
		if err = st.Send(background, make([]byte, 4000)); err == nil {
			_, err = st.Recv(background)
		}
	}
	if err == nil {
		st.Cancel(nil)
	}
	return err
}

// wantLost checks the end of a call that a cut ends: one that comes after it is served,
// or refused like any above the limit.
func wantLost(t *testing.T, err error) {
	if err != nil && !errors.Is(err, gridnode.ErrOverloaded) {
		wantIs(t, err, gridnode.ErrDisconnected)
	}
}

// The same flood, without a cut: when the link moves again every call is answered.
func TestAFloodIntoFullQueuesIsServedWhenTheLinkMovesAgain(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit, cfg.Window = 64<<10, 128<<10 }))
		p.link().Stall()
		var callers sync.WaitGroup
		for i := range 2 * 1000 {
			from := []*gridnode.Connection{p.conn, p.back}[i%2]
			callers.Go(func() {
				req := fmt.Appendf(nil, "%02000d", i)
				if i%50 == 0 {
					req = make([]byte, 70_000)
				}
				resp, err := from.Request(background, hEcho, req)
				if err != nil || string(resp) != string(req) {
					t.Errorf("call %d: %d bytes, %v", i, len(resp), err)
				}
			})
		}
		eventually(t, "the queues are full", func() bool {
			return p.conn.Stats().QueuedBytes > 64<<10 && p.back.Stats().QueuedBytes > 64<<10
		})
		p.link().Resume()
		callers.Wait()
	})
}

// Calls whose context ends while their request waits for room return at once.
func TestACallThatWaitsForRoomEndsWithItsContext(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit, cfg.Window = 64<<10, 128<<10 }))
		p.link().Stall()
		ctx, cancel := context.WithCancel(background)
		ends := make(chan error, 300)
		for i := range cap(ends) {
			size := []int{4000, 4000, 70_000}[i%3]
			go func() { // ends with its call
				_, err := p.conn.Request(ctx, hEcho, make([]byte, size))
				ends <- err
			}()
		}
		eventually(t, "the queue is full", func() bool { return p.conn.Stats().QueuedBytes > 64<<10 })
		start := time.Now()
		cancel()
		for range cap(ends) {
			wantIs(t, receive(t, "the calls end", ends), context.Canceled)
		}
		n.wantWithin(t, "the end of all calls", start, 0)
		p.link().Resume()
		p.serves(t)
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}
