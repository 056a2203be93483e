package memnet

import (
	"context"
	"net"
	"syscall"
)

// Host is one end of links. All methods may be called concurrently.
type Host struct {
	net  *Network
	name string
}

// Listen listens on an address of this host; its host part may be left out. For port
// 0 the network chooses one.
func (h *Host) Listen(addr string) (net.Listener, error) {
	l, err := h.listen(addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: Addr(addr), Err: err}
	}
	return l, nil
}

func (h *Host) listen(addr string) (*listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host != "" && host != h.name {
		return nil, syscall.EADDRNOTAVAIL
	}
	l := &listener{net: h.net}
	if err := h.net.bind(l, h.name, port); err != nil {
		return nil, err
	}
	return l, nil
}

// Dial connects to whoever listens on addr. It waits while the link is stalled and
// while the listener's backlog is full, no longer than ctx; a partitioned link and an
// address on which nobody listens refuse at once.
func (h *Host) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := h.dial(ctx, network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Source: Addr(h.name), Addr: Addr(addr), Err: err}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, network, addr string) (*Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, err
	}
	local, window := h.net.end(h.name)
	near, far, err := h.net.Link(h.name, addr).connect(ctx, local, Addr(addr), window)
	if err != nil {
		return nil, err
	}
	l := h.net.listener(addr)
	if l == nil {
		near.abort()
		return nil, syscall.ECONNREFUSED
	}
	if err := l.offer(ctx, far); err != nil {
		near.abort()
		return nil, err
	}
	return near, nil
}
