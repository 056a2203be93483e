package gridnode_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// With the checksum no flipped bit of a batch goes unnoticed: no handler sees it, and
// the session, which cannot know what else is wrong, ends.
func TestEveryFlippedBitOfABatchIsNoticed(t *testing.T) {
	var served atomic.Int64
	counting := gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
		return m.RegisterSingle(200, func(context.Context, []byte) ([]byte, error) {
			served.Add(1)
			return nil, nil
		})
	})
	onMemory(t, func(t *testing.T, v *victim) {
		for bit := 0; ; bit++ {
			p := v.connected(t)
			batch := p.batch(p.request(1, 200, []byte("x")))
			if bit == 8*len(batch) {
				break
			}
			batch[bit/8] ^= 1 << (bit % 8)
			p.message(ws.OpBinary, batch)
			p.drained()
			if err := v.waitLost(t, p.name); !errors.Is(err, gridnode.ErrProtocol) {
				t.Errorf("bit %d: %v", bit, err)
			}
		}
		if n := served.Load(); n != 0 {
			t.Errorf("%d damaged requests were served", n)
		}
	}, counting)
}

// Flipped bits of the WebSocket frame around it end the session, or damage the payload
// and are noticed there: never a panic, and never a call.
func TestEveryFlippedBitOfAWebSocketHeaderIsSurvived(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		for bit := range 8 * 6 { // two bytes and the mask
			p := v.connected(t)
			frame := p.frame(ws.OpBinary, p.batch(p.request(1, hEcho, []byte("hello"))))
			frame[bit/8] ^= 1 << (bit % 8)
			if p.write(frame) != nil {
				continue
			}
			v.settle()
			p.conn.Close() // some flips only make it wait for more
			v.waitLost(t, p.name)
			v.idle(t, p.name)
		}
	})
}
