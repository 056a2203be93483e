package test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// A hundred streams are stuck at both ends, a thousand handlers do not return, and one
// more stream and single go on as if they were alone; afterwards nothing is missing.
func TestPromise6NobodyWaitsForTheSlow(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		p := n.pair(t,
			single(hOwn, func(_ context.Context, req []byte) ([]byte, error) { <-release; return req, nil }),
			mux(hOwn2, gridnode.MuxHandler{OutCapacity: 2, Handle: countMux}),
			mux(hOwn3, gridnode.MuxHandler{InCapacity: 2, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				<-release
				return echoMux(ctx, st)
			}}),
		)
		const stuck, items = 100 / underRace, 20
		var all sync.WaitGroup
		var unread []*gridnode.MuxClient
		for range stuck {
			unread = append(unread, open(t, p.conn, hOwn2, number(items)))
			st := open(t, p.conn, hOwn3, nil)
			all.Go(func() {
				for i := range items {
					if err := st.Send(background, numbered(i)); err != nil {
						t.Errorf("send %d: %v", i, err)
					}
				}
				st.CloseSend()
			})
			all.Go(func() { wantNumbers(t, st, items) })
		}
		for i := range 10 * stuck {
			all.Go(func() {
				if resp, err := p.conn.Request(background, hOwn, numbered(i)); err != nil || !isNumber(resp, i) {
					t.Errorf("slow call %d: %v, %v", i, resp, err)
				}
			})
		}
		start := time.Now()
		for range 100 {
			wantEcho(t, p.conn, "quick")
			wantEcho(t, p.back, "quick")
		}
		wantMuxEcho(t, p.conn, hEchoMux, 100)
		n.wantWithin(t, "what is quick", start, 0)
		close(release)
		for _, st := range unread {
			wantNumbers(t, st, items)
		}
		all.Wait()
	})
}

// A slow stream in one direction of a link that is slow itself delays a stream beside it
// by no more than what is on the link.
func TestPromise6TwoNodesThatAreFullBothWaysDoNotLock(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit, cfg.Window = 64<<10, 128<<10 }),
			mux(hOwn, gridnode.MuxHandler{InCapacity: 50, OutCapacity: 50, Handle: echoMux}))
		var all sync.WaitGroup
		for k := range 8 {
			from := []*gridnode.Connection{p.conn, p.back}[k%2]
			st := open(t, from, hOwn, nil)
			const items = 200 / underRace
			all.Go(func() {
				for i := range items {
					if err := st.Send(background, make([]byte, 3000+i)); err != nil {
						t.Error(err)
					}
				}
				st.CloseSend()
			})
			all.Go(func() {
				i := 0
				for msg, err := range st.All(background) {
					if err != nil || len(msg) != 3000+i {
						t.Errorf("message %d: %d bytes, %v", i, len(msg), err)
						return
					}
					i++
				}
				if i != items {
					t.Errorf("%d messages of %d", i, items)
				}
			})
		}
		all.Wait()
	})
}
