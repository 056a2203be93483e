package gridnode_test

import (
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// heapInUse is what the program holds, with the pools emptied.
func heapInUse() int64 {
	for range 3 { // a sync.Pool outlives two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// goroutinesAtRest waits for the workers of all pools to leave, and returns how many
// goroutines are left. It counts stacks: runtime.NumGoroutine may be off by some while
// goroutines end.
func goroutinesAtRest(t *testing.T) int {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(20 * time.Second)
	for {
		now := stacks()
		if !strings.Contains(now, "actor.(*Pool)") {
			return strings.Count(now, "\n\n") + 1
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("idle workers stay:\n%s", now)
		}
	}
}

// unstartedGrid returns n nodes that serve their listeners and are not started: they
// have everything but connections.
func unstartedGrid(t *testing.T, n int) []*gridnode.Manager {
	t.Helper()
	var listeners []net.Listener
	var names []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		names = append(names, "http://"+l.Addr().String())
	}
	var serving sync.WaitGroup
	var nodes []*gridnode.Manager
	for i, l := range listeners {
		m, err := gridnode.NewManager(gridnode.Config{Local: names[i], Peers: names})
		if err != nil {
			t.Fatal(err)
		}
		registerAll(m)
		serving.Go(func() { m.Serve(l) })
		nodes = append(nodes, m)
	}
	t.Cleanup(func() {
		for _, m := range nodes {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		serving.Wait()
	})
	return nodes
}

// An idle connection on the poller has no goroutine, and at most 16 KiB of heap at
// either end.
func TestIdleConnectionsCostLittle(t *testing.T) {
	grid(t, 2, registerAll) // keeps the event loop running, which is not counted
	nodes := unstartedGrid(t, 11)
	pairs := len(nodes) * (len(nodes) - 1) / 2
	goroutinesBefore := goroutinesAtRest(t)
	heapBefore := heapInUse()
	for _, m := range nodes {
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
	}
	connectAll(nodes)
	goroutines := goroutinesAtRest(t)
	for deadline := time.Now().Add(20 * time.Second); goroutines > goroutinesBefore && time.Now().Before(deadline); {
		runtime.Gosched() // handshakes have not all left the servers yet
		goroutines = goroutinesAtRest(t)
	}
	heap := heapInUse()
	perSide := (heap - heapBefore) / int64(2*pairs)
	t.Logf("%d connections: %d goroutines more, %d bytes of heap per side", pairs, goroutines-goroutinesBefore, perSide)
	if extra := goroutines - goroutinesBefore; extra > 0 {
		t.Errorf("%d goroutines for %d idle connections\n%s", extra, pairs, stacks())
	}
	if perSide > 16<<10 {
		t.Errorf("%d bytes of heap per idle connection and side, want at most 16 KiB", perSide)
	}
	for _, m := range nodes { // they were there all the time, and not replaced
		for _, peer := range m.Peers() {
			if st := m.Connection(peer).Stats(); st.State != gridnode.StateConnected || st.Sessions != 1 {
				t.Errorf("%s to %s: %+v", m.Local(), peer, st)
			}
		}
	}
}
