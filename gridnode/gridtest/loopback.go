package gridtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"syscall"
)

// loopback is loopback TCP. A dial goes through a proxy of its own, whose listener
// accepts once, so that both nodes hold a real *net.TCPConn and the link between
// them can still misbehave.
type loopback struct {
	tls *tls.Config

	mu     sync.Mutex
	real   map[string]string // address in the cluster to address on this machine
	links  map[[2]string]*proxyLink
	closed bool
	pumps  sync.WaitGroup
}

func newLoopback() *loopback {
	return &loopback{real: make(map[string]string), links: make(map[[2]string]*proxyLink)}
}

func (l *loopback) config() *tls.Config { return l.tls }

func (l *loopback) listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.real[addr] = ln.Addr().String()
	return &forgetful{ln, func() { l.forget(addr, ln.Addr().String()) }}, nil
}

func (l *loopback) forget(addr, target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real[addr] == target {
		delete(l.real, addr)
	}
}

// forgetful is a listener whose address is forgotten before it closes: somebody else
// may get its port then, a node of the same name in another cluster for one.
type forgetful struct {
	net.Listener
	forget func()
}

func (f *forgetful) Close() error {
	f.forget()
	return f.Listener.Close()
}

func (l *loopback) link(a, b string) faults { return l.proxyLink(a, b) }

func (l *loopback) proxyLink(a, b string) *proxyLink {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{min(a, b), max(a, b)}
	if l.links[key] == nil {
		l.links[key] = newProxyLink()
	}
	return l.links[key]
}

func (l *loopback) dialer(from string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		link := l.proxyLink(from, addr)
		if err := link.reachable(ctx); err != nil {
			return nil, err
		}
		l.mu.Lock() // only now: nodes come and go while a link is stalled
		target := l.real[addr]
		l.mu.Unlock()
		if target == "" {
			return nil, fmt.Errorf("gridtest: dial %s: %w", addr, syscall.ECONNREFUSED)
		}
		return l.dial(ctx, link, target)
	}
}

// dial connects to target through a new proxy on link.
func (l *loopback) dial(ctx context.Context, link *proxyLink, target string) (net.Conn, error) {
	var dialer net.Dialer
	far, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	mine, near, err := tcpPair(ctx)
	if err != nil {
		far.Close()
		return nil, err
	}
	if err := l.pump(link, near, far.(*net.TCPConn)); err != nil {
		mine.Close()
		return nil, err
	}
	return mine, nil
}

// pump starts a proxy between two connections, which it owns from here on.
func (l *loopback) pump(link *proxyLink, a, b *net.TCPConn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := newProxy(link, a, b)
	if l.closed || !link.add(p) {
		p.reset()
		return errors.New("gridtest: connection reset")
	}
	p.run(&l.pumps)
	return nil
}

// tcpPair returns the two ends of a TCP connection.
func tcpPair(ctx context.Context) (a, b *net.TCPConn, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	var dialer net.Dialer
	dialled, err := dialer.DialContext(ctx, "tcp", ln.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	accepted, err := ln.Accept() // the dial has succeeded: it is in the backlog
	if err != nil {
		dialled.Close()
		return nil, nil, err
	}
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn), nil
}

func (l *loopback) close() {
	l.mu.Lock()
	l.closed = true
	links := maps.Clone(l.links)
	l.mu.Unlock()
	for _, link := range links {
		link.Resume()
		link.Cut()
	}
	l.pumps.Wait()
}
