package test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// ordered checks a stream's messages at one end and counts those of each stream, so
// that a second run of a handler shows.
type ordered struct {
	mu   sync.Mutex
	runs map[string]int
}

func (o *ordered) handle(t *testing.T) gridnode.MuxHandler {
	return gridnode.MuxHandler{InCapacity: 3, OutCapacity: 3, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
		o.mu.Lock()
		o.runs[string(st.Payload())]++
		o.mu.Unlock()
		i := 0
		for msg, err := range st.All(ctx) {
			if err != nil {
				return err
			}
			if len(msg) < 8 || numberOf(msg) != uint64(i) {
				t.Errorf("stream %x: message %d is %v", st.Payload(), i, msg[:min(8, len(msg))])
			}
			if err := st.Send(ctx, msg); err != nil {
				return err
			}
			i++
		}
		return nil
	}}
}

// Messages of a stream arrive in the order in which they were sent, both ways, each
// once, small ones behind large ones that travel in fragments; and no handler runs
// twice for a call, though the link is cut again and again and calls are repeated.
func TestPromise3AtMostOnceAndInOrder(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		o := &ordered{runs: map[string]int{}}
		p := n.pair(t, mux(hOwn, o.handle(t)))
		var streams sync.WaitGroup
		for k := range 8 {
			streams.Go(func() {
				for try := range 6 {
					st, err := p.conn.OpenMux(background, hOwn, []byte{byte(k), byte(try)})
					if err == nil {
						err = orderedEcho(t, st, 60/min(underRace, 3))
					}
					if err != nil {
						wantIs(t, err, gridnode.ErrDisconnected)
					}
					if k == 0 && try < 4 {
						p.link().CutAfter(50_000 * try)
						p.serves(t)
					}
				}
			})
		}
		streams.Wait()
		p.link().CutAfter(1 << 30) // none is due any more
		p.wantIdle(t)
		o.mu.Lock() // a handler whose caller is gone may begin even now
		defer o.mu.Unlock()
		for name, times := range o.runs {
			if times != 1 {
				t.Errorf("the handler of stream %x ran %d times", name, times)
			}
		}
	})
}

// orderedEcho sends numbered messages of all sizes and checks that they come back in
// order.
func orderedEcho(t *testing.T, st *gridnode.MuxClient, n int) error {
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range n {
			size := []int{0, 10, 5000, 0, 70_000}[i%5]
			if st.Send(background, append(numbered(i), make([]byte, size)...)) != nil {
				return
			}
		}
		st.CloseSend()
	})
	defer sending.Wait()
	i := 0
	for msg, err := range st.All(background) {
		if err != nil {
			return err
		}
		if len(msg) < 8 || numberOf(msg) != uint64(i) {
			st.Cancel(nil)
			return errors.New("messages out of order")
		}
		i++
	}
	if i != n {
		t.Errorf("a clean end after %d messages of %d", i, n)
	}
	return nil
}
