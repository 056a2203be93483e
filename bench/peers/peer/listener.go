package peer

import (
	"errors"
	"net"
	"sync"
)

// listener is a server of raw connections: it owns the accept loop and a goroutine
// per connection, which Close ends and waits for.
type listener struct {
	l      net.Listener
	handle func(net.Conn)

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	wg     sync.WaitGroup
}

// listen starts a listener on loopback. handle owns its connection until it returns.
func listen(handle func(net.Conn)) (*listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &listener{l: l, handle: handle, conns: make(map[net.Conn]struct{})}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *listener) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		if !s.add(c) {
			c.Close()
			return
		}
		s.wg.Go(func() {
			defer s.remove(c)
			s.handle(c)
		})
	}
}

func (s *listener) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *listener) remove(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *listener) Addr() string { return s.l.Addr().String() }

func (s *listener) Close() error {
	s.mu.Lock()
	s.closed = true
	err := s.l.Close()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
