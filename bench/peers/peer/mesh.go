package peer

import (
	"errors"
	"fmt"
	"net"
)

// symmetric is a multiplexed connection of which both ends call and serve.
type symmetric interface {
	call() Call
	run() // reads until the connection ends
	Close() error
}

// mux is a client over one symmetric connection.
type mux struct {
	end  symmetric
	done chan struct{} // closed when run has returned
}

// newMux runs end.
func newMux(end symmetric) *mux {
	m := &mux{end: end, done: make(chan struct{})}
	go func() { // ends with the connection; Close waits
		defer close(m.done)
		end.run()
	}()
	return m
}

func (m *mux) Caller(int) (Call, error) { return m.end.call(), nil }

func (m *mux) Close() error {
	err := m.end.Close()
	<-m.done
	return err
}

// muxMesh is a mesh of symmetric connections.
type muxMesh struct {
	ends    [][]symmetric // by caller and callee
	clients []*mux
	servers []Server
}

// newMuxMesh connects n nodes: accepted makes the serving end of a connection,
// dialled the other one.
func newMuxMesh(n int, accepted, dialled func(net.Conn) (symmetric, error)) (Mesh, error) {
	m := &muxMesh{ends: make([][]symmetric, n)}
	for i := range m.ends {
		m.ends[i] = make([]symmetric, n)
	}
	for i := range n {
		arrived := make(chan symmetric)
		s, err := listen(func(c net.Conn) {
			end, err := accepted(c)
			arrived <- end
			if err == nil {
				end.run()
			}
		})
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.servers = append(m.servers, s)
		for j := range i {
			if err := m.connect(s.Addr(), i, j, arrived, dialled); err != nil {
				return nil, errors.Join(err, m.Close())
			}
		}
	}
	return m, nil
}

// connect dials node i, which listens on addr, from node j.
func (m *muxMesh) connect(addr string, i, j int, arrived <-chan symmetric, dialled func(net.Conn) (symmetric, error)) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	end, err := dialled(conn)
	other := <-arrived
	if err != nil || other == nil {
		conn.Close()
		return fmt.Errorf("nodes %d and %d do not connect: %w", i, j, errors.Join(err, errors.New("see the other end")))
	}
	m.ends[i][j], m.ends[j][i] = other, end
	m.clients = append(m.clients, newMux(end))
	return nil
}

func (m *muxMesh) Caller(from, to int) (Call, error) {
	if m.ends[from][to] == nil {
		return nil, fmt.Errorf("node %d is not connected to node %d", from, to)
	}
	return m.ends[from][to].call(), nil
}

func (m *muxMesh) Close() error {
	var errs []error
	for _, c := range m.clients {
		errs = append(errs, c.Close())
	}
	for _, s := range m.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
