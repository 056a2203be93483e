package memnet

import (
	"context"
	"net"
	"strconv"
	"sync"
	"syscall"
)

const (
	defaultBuffer = 64 << 10
	firstPort     = 49152 // of those that are handed out: RFC 6335 section 6
	lastPort      = 65535
)

// Network is a set of hosts and of links between them. Hosts and links exist from
// the moment in which they are named. All methods may be called concurrently.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	links     map[[2]string]*Link
	buffer    int
	port      int // handed out last
}

// New returns a network on which nothing listens.
func New() *Network {
	return &Network{
		listeners: make(map[string]*listener),
		links:     make(map[[2]string]*Link),
		buffer:    defaultBuffer,
		port:      firstPort - 1,
	}
}

// SetBuffer sets how many bytes may have been written and not yet read, in each
// direction of each connection made from now on. If bytes is not positive, it is the
// default of 64 KiB.
func (n *Network) SetBuffer(bytes int) {
	if bytes <= 0 {
		bytes = defaultBuffer
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buffer = bytes
}

// Host returns the host with this name, or with the host part of this address.
func (n *Network) Host(name string) *Host { return &Host{net: n, name: hostOf(name)} }

// Listen listens on the host that addr names.
func (n *Network) Listen(addr string) (net.Listener, error) { return n.Host(addr).Listen(addr) }

// Dial connects from the host whose name is empty.
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.Host("").Dial(ctx, network, addr)
}

// Link returns the link between two hosts, in whichever order. They are named as for
// Host, and may be the same one.
func (n *Network) Link(a, b string) *Link {
	a, b = hostOf(a), hostOf(b)
	key := [2]string{min(a, b), max(a, b)}
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.links[key]
	if l == nil {
		l = newLink()
		n.links[key] = l
	}
	return l
}

// bind makes l the listener of an address of host, on a port of the network's choice
// if the port is "0".
func (n *Network) bind(l *listener, host, port string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr := net.JoinHostPort(host, port)
	if port == "0" {
		addr = n.freeAddrLocked(host)
	}
	if n.listeners[addr] != nil {
		return syscall.EADDRINUSE
	}
	l.addr = Addr(addr)
	n.listeners[addr] = l
	return nil
}

func (n *Network) unbind(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, string(l.addr))
}

// listener returns who listens on addr, nil if nobody does.
func (n *Network) listener(addr string) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[addr]
}

// end returns what a connection from host needs: an address and a window.
func (n *Network) end(host string) (local Addr, window int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Addr(n.freeAddrLocked(host)), n.buffer
}

// freeAddrLocked returns an address of host on which nobody listens, if there is one.
func (n *Network) freeAddrLocked(host string) string {
	var addr string
	for range lastPort - firstPort + 1 {
		n.port++
		if n.port > lastPort {
			n.port = firstPort
		}
		addr = net.JoinHostPort(host, strconv.Itoa(n.port))
		if n.listeners[addr] == nil {
			break
		}
	}
	return addr
}
