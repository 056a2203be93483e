package gridnode

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Close ends the node at once: calls end with ErrDisconnected, handlers' contexts
// are cancelled, connections and listeners of Serve are closed. It waits up to
// Config.CloseTimeout for the handlers, and Quorum's undo, to return, and reports those
// that have not. After a nil return no goroutine, timer or file descriptor is left.
// Close is idempotent; later calls wait for the first, and for what it has left.
func (m *Manager) Close() error {
	m.mu.Lock()
	first := m.state != nodeClosed
	m.state = nodeClosed
	if m.tick != nil {
		m.tick.Stop()
	}
	m.mu.Unlock()
	if !first {
		<-m.closed
	}
	deadline, stop := context.WithTimeout(context.Background(), m.cfg.CloseTimeout)
	defer stop()
	if !first {
		return errors.Join(m.waitServing(deadline), m.waitFanouts(deadline), m.waitWorkers(deadline))
	}
	defer close(m.closed)

	m.cancel(ErrClosed)
	m.closeServers()
	serving := m.waitServing(deadline)
	m.conns.Range(func(_ string, c *Connection) bool {
		c.close()
		return true
	})
	err := errors.Join(m.waitGone(deadline), m.waitFanouts(deadline))
	m.net.Close()
	m.pool.Close()
	return errors.Join(serving, err, m.waitWorkers(deadline))
}

// waitServing waits for Serve, handshakes and dials. Their contexts have ended: what
// stays is a callback of the application's that does not look at its own.
func (m *Manager) waitServing(ctx context.Context) error {
	if !waitGroup(ctx, &m.serving) {
		return fmt.Errorf("gridnode: Close: Dial, Token, Verify or Serve have not returned within %v", m.cfg.CloseTimeout)
	}
	return nil
}

// waitGroup waits for g and reports whether that was over before ctx.
func waitGroup(ctx context.Context, g *sync.WaitGroup) bool {
	over := make(chan struct{})
	go func() { // ends with the last of g
		g.Wait()
		close(over)
	}()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// closeServers ends what Serve has started.
func (m *Manager) closeServers() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for srv := range m.servers {
		srv.Close()
	}
}

// waitGone waits for the sessions to end.
func (m *Manager) waitGone(ctx context.Context) error {
	var err error
	m.conns.Range(func(_ string, c *Connection) bool {
		select {
		case <-c.gone:
		case <-ctx.Done():
			err = fmt.Errorf("gridnode: Close: the connection to %s did not end", c.remote)
		}
		return err == nil
	})
	return err
}

// waitFanouts waits for the late answers of Quorum: their calls have ended with the
// sessions, and what may take its time is undo.
func (m *Manager) waitFanouts(ctx context.Context) error {
	if !waitGroup(ctx, &m.fanouts) {
		return fmt.Errorf("gridnode: Close: an undo has not returned within %v", m.cfg.CloseTimeout)
	}
	return nil
}

func (m *Manager) waitWorkers(ctx context.Context) error {
	if err := m.pool.Wait(ctx); err != nil {
		return fmt.Errorf("gridnode: Close: handlers have not returned within %v: %w", m.cfg.CloseTimeout, err)
	}
	return nil
}

// Shutdown drains: peers are told to send no new calls, new local calls fail,
// running calls and streams of both sides finish and their ends arrive, then the node
// closes. If ctx ends first the rest is cut off as by Close, and ctx's error is
// returned; a peer that hangs is waited for until it is given up, after DeadAfter.
func (m *Manager) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	switch m.state {
	case nodeNew:
		m.mu.Unlock()
		return m.Close()
	case nodeRunning:
		m.state = nodeDraining
	}
	m.mu.Unlock()
	m.conns.Range(func(_ string, c *Connection) bool {
		c.drain()
		return true
	})
	err := m.waitDrained(ctx)
	return errors.Join(err, m.Close())
}

// cutOff returns ErrClosed if Close has ended a drain, and nil if another Shutdown has
// finished it.
func (m *Manager) cutOff() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drained {
		return nil
	}
	return ErrClosed
}
