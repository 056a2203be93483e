package chaos

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// dialFunc is Config.Dial.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// onDial replaces the Dial of every node by what wrap makes of it.
func onDial(wrap func(i int, dial dialFunc) dialFunc) gridtest.Option {
	return gridtest.WithConfig(func(i int, cfg *gridnode.Config) { cfg.Dial = wrap(i, cfg.Dial) })
}

// meter counts the bytes of all dialled connections, both directions together.
type meter struct{ bytes atomic.Int64 }

func (m *meter) option() gridtest.Option {
	return onDial(func(_ int, dial dialFunc) dialFunc {
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: conn, meter: m}, nil
		}
	})
}

type meteredConn struct {
	net.Conn
	meter *meter
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.meter.bytes.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.meter.bytes.Add(int64(n))
	return n, err
}

// during returns how many bytes pass while f runs.
func (m *meter) during(f func()) int {
	before := m.bytes.Load()
	f()
	return int(m.bytes.Load() - before)
}
