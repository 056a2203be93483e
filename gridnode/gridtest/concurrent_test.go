package gridtest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func TestConnLinkAndDialAreForAnyGoroutine(t *testing.T) {
	on(t, links, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 2, kind)
		stop := make(chan struct{})
		var running sync.WaitGroup
		defer running.Wait()
		for range 2 {
			running.Go(func() {
				pause := time.NewTicker(time.Millisecond)
				defer pause.Stop()
				for {
					select {
					case <-stop:
						return
					case <-pause.C:
					}
					c.Conn(1, 0).Request(context.Background(), hEcho, nil)
					c.Link(0, 1).Delay(0)
					if conn, err := c.Dial(context.Background(), 1); err == nil {
						conn.Close()
					}
				}
			})
		}
		for range 3 {
			c.Stop(1)
			if _, err := c.Conn(1, 0).Request(t.Context(), hEcho, nil); !errors.Is(err, gridnode.ErrClosed) {
				t.Errorf("a call of a stopped node: %v", err)
			}
			c.Start(1)
		}
		close(stop)
	})
}
