package gridtest

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/actorgrid/actorgrid/gridnode/internal/memnet"
)

// memory is the in-memory network; its hosts are called by their addresses.
type memory struct{ net *memnet.Network }

func newMemory() *memory { return &memory{memnet.New()} }

func (m *memory) listen(addr string) (net.Listener, error) { return m.net.Host(addr).Listen(addr) }

func (m *memory) dialer(from string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return m.net.Host(from).Dial
}

func (m *memory) link(a, b string) faults { return m.net.Link(a, b) }
func (m *memory) config() *tls.Config     { return nil }
func (m *memory) close()                  {}
