package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// capacities are those at which credit comes back otherwise: each message, half a window
// that is even or odd.
var capacities = []int{1, 2, 3, 15, 16, 17, 63, 64, 65}

// What a handler that echoes has room for, which is both capacities, can be sent before
// an answer is read, and the other way round: the credit that a side holds back must not
// be what the other one waits for while it waits itself.
func TestBothCapacitiesHaveRoomBeforeAnythingIsRead(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		for _, c := range []struct{ in, out int }{{16, 4}, {16, 16}, {4, 3}, {65, 17}, {100, 40}} {
			p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: c.in, OutCapacity: c.out, Handle: echoMux}))
			ctx, cancel := context.WithTimeout(background, patience)
			defer cancel()
			st, err := p.conn.OpenMux(ctx, hOwn, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.in + c.out {
				if err := st.Send(ctx, numbered(i)); err != nil {
					t.Fatalf("in %d, out %d: message %d: %v", c.in, c.out, i, err)
				}
			}
			st.CloseSend()
			wantNumbers(t, st, c.in+c.out)
		}
	})
}

// flowing makes calls and streams of this size over a connection at once, small calls
// between them.
func flowing(ctx context.Context, conn *gridnode.Connection, size int) error {
	var all sync.WaitGroup
	errs := make(chan error, 4)
	call := func(size int) {
		for range 3 {
			resp, err := conn.Request(ctx, hEcho, make([]byte, size))
			if err == nil && len(resp) != size {
				err = fmt.Errorf("%d bytes of %d", len(resp), size)
			}
			if err != nil {
				errs <- err
				return
			}
		}
	}
	all.Go(func() { call(size) })
	all.Go(func() { call(10) })
	st, err := conn.OpenMux(ctx, hEchoMux, make([]byte, size))
	if err != nil {
		all.Wait()
		return err
	}
	all.Go(func() {
		for range 5 {
			if err := st.Send(ctx, make([]byte, size)); err != nil {
				errs <- err
				break
			}
		}
		st.CloseSend()
	})
	n := 0
	for msg, err := range st.All(ctx) {
		if err == nil && len(msg) != size {
			err = fmt.Errorf("%d bytes of %d", len(msg), size)
		}
		if err != nil {
			errs <- err
			break
		}
		n++
	}
	all.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	if n != 5 {
		err = errors.Join(err, fmt.Errorf("%d messages", n))
	}
	return err
}

// Windows, and limits of a message, may differ between the two sides: payloads of all
// sizes pass in both directions at once, beside small calls.
func TestSidesWithDifferentWindowsHangNowhere(t *testing.T) {
	t.Parallel() // with other tests that only wait
	const least = 128 << 10
	onEveryLink(t, func(t *testing.T, n *rig) {
		for _, c := range []struct{ window, most [2]int }{
			{[2]int{least, 1 << 30}, [2]int{3 << 20, 64 << 20}},
			{[2]int{least + 1, 300_001}, [2]int{64 << 20, 3 << 20}},
			{[2]int{0, least}, [2]int{3 << 20, 3<<20 + 1}},
		} {
			p := n.pair(t, gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
				cfg.Window, cfg.MaxMessage = c.window[i], c.most[i]
			}))
			ctx, cancel := context.WithTimeout(background, 2*patience)
			defer cancel()
			for _, size := range []int{4096, 4097, 65536, 65537, least, 3 << 20} {
				var both sync.WaitGroup
				for _, conn := range []*gridnode.Connection{p.conn, p.back} {
					both.Go(func() {
						if err := flowing(ctx, conn, size); err != nil {
							t.Errorf("windows %d, %d bytes: %v", c.window, size, err)
						}
					})
				}
				both.Wait()
			}
			if s := p.conn.Stats(); s.Sessions != 1 {
				t.Errorf("windows %d: %d sessions, want the first still", c.window, s.Sessions)
			}
		}
	})
}

// A receiver that stops half way, reads in bursts, or in several goroutines at once, gets
// all there is; the sender waits meanwhile.
func TestNoCreditIsLostHoweverAStreamIsRead(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, links, func(t *testing.T, n *rig) {
		for _, capacity := range capacities {
			p := n.pair(t, mux(hOwn, gridnode.MuxHandler{OutCapacity: capacity, Handle: countMux}))
			ctx, cancel := context.WithTimeout(background, 10*patience) // it has a hundred short waits
			defer cancel()
			messages := 10*capacity + 7
			st, err := p.conn.OpenMux(ctx, hOwn, number(uint64(messages)))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 * capacity {
				if msg, err := st.Recv(ctx); err != nil || !isNumber(msg, i) {
					t.Fatalf("capacity %d, message %d: %v, %v", capacity, i, msg, err)
				}
				if i%(capacity/2+1) == 0 {
					p.steady(t) // all that may be sent is here
				}
			}
			var readers sync.WaitGroup
			got := make(chan []byte, messages)
			for range 4 {
				readers.Go(func() {
					for {
						msg, err := st.Recv(ctx)
						if err != nil {
							if err != io.EOF {
								t.Errorf("capacity %d: %v", capacity, err)
							}
							return
						}
						got <- msg
					}
				})
			}
			readers.Wait()
			if len(got) != messages-5*capacity {
				t.Errorf("capacity %d: %d messages, want %d", capacity, len(got), messages-5*capacity)
			}
		}
	})
}
