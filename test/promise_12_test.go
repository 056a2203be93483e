package test

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// openFiles counts the file descriptors of this process; -1 where that is not known.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// After Close of nodes that were in the middle of everything no goroutine and no file
// descriptor is left. Timers are goroutines here: in a bubble one that is left keeps the
// test from ending.
func TestPromise12NothingIsLeftAfterClose(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		once := func() { n.closeInTheMiddle(t) }
		once() // what the process keeps for ever, an event loop say, exists from here on
		if n.virtual() {
			once()
			return // the end of the bubble proves it
		}
		ignore, files := goleak.IgnoreCurrent(), openFiles()
		for range 3 {
			once()
		}
		leak := goleak.Find(ignore)
		for deadline := time.Now().Add(patience); leak != nil && time.Now().Before(deadline); {
			leak = goleak.Find(ignore) // who has said that he ends may not have ended
		}
		if leak != nil {
			t.Error(leak)
		}
		var left int
		eventually(t, "file descriptors are closed", func() bool {
			runtime.GC()
			left = openFiles()
			return left <= files
		})
	})
}

// closeInTheMiddle closes two nodes with calls and streams of all kinds under way.
func (n *rig) closeInTheMiddle(t *testing.T) {
	t.Helper()
	w := n.watchedWith(t)
	ends := make(chan struct{}, 3)
	go func() { // ends with Close
		w.conn.Request(background, hWatchSingle, nil)
		ends <- struct{}{}
	}()
	one, two := openChannels(t, background, w.conn, hWatchOneWay, nil), open(t, w.conn, hWatchTwoWay, nil)
	go func() { // ends with Close
		for range one.Responses {
		}
		ends <- struct{}{}
	}()
	go func() { // ends with Close
		for two.Send(background, make([]byte, 70_000)) == nil {
		}
		ends <- struct{}{}
	}()
	for range 3 {
		receive(t, "the handlers run", w.entered)
	}
	w.Stop(w.server)
	w.Stop(w.caller)
	for range 3 {
		receive(t, "the calls end", ends)
		receive(t, "the handlers end", w.left)
	}
	n.pairs = nil
}

// A connection that is cut and comes back, again and again, leaves nothing behind, and
// nor do peers that are not there.
func TestPromise12NothingIsLeftAfterLosses(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, quickReturn())
		cycle := func() {
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			for range 10 {
				st, err := p.conn.OpenMux(ctx, hEchoMux, nil)
				if err != nil {
					break
				}
				st.Send(ctx, []byte("x"))
			}
			p.link().Cut()
			p.serves(t)
		}
		for range 5 {
			cycle()
		}
		<-time.After(50 * time.Millisecond)
		before, files := runtime.NumGoroutine(), openFiles()
		for range 50 / min(underRace, 5) {
			cycle()
		}
		eventually(t, "goroutines are as many as before", func() bool { return runtime.NumGoroutine() <= before+8 })
		eventually(t, "file descriptors are as many as before", func() bool { return openFiles() <= files+4 })
	})
}
