package gridnode

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Close ends the node at once: calls end with ErrDisconnected, handlers' contexts
// are cancelled, connections and listeners of Serve are closed. It waits up to
// Config.CloseTimeout for the handlers, and Quorum's undo, to return, and reports those
// that have not.
// After a nil return no goroutine, timer or file descriptor is left. Close is
// idempotent; later calls wait for the first.
func (m *Manager) Close() error {
	m.mu.Lock()
	if m.state == nodeClosed {
		m.mu.Unlock()
		<-m.closed
		return nil
	}
	m.state = nodeClosed
	m.mu.Unlock()
	defer close(m.closed)

	m.cancel(ErrClosed)
	m.closeServers()
	m.serving.Wait() // bounded: the contexts of handshakes and dials have ended
	m.conns.Range(func(_ string, c *Connection) bool {
		c.close()
		return true
	})
	deadline, stop := context.WithTimeout(context.Background(), m.cfg.CloseTimeout)
	defer stop()
	err := errors.Join(m.waitGone(deadline), m.waitFanouts(deadline))
	m.net.Close()
	m.pool.Close()
	return errors.Join(err, m.waitWorkers(deadline))
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
	done := make(chan struct{})
	go func() { // ends with the last undo
		m.fanouts.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gridnode: Close: an undo has not returned within %v", m.cfg.CloseTimeout)
	}
}

func (m *Manager) waitWorkers(ctx context.Context) error {
	if err := m.pool.Wait(ctx); err != nil {
		return fmt.Errorf("gridnode: Close: handlers have not returned within %v: %w", m.cfg.CloseTimeout, err)
	}
	return nil
}

// Shutdown drains: peers are told to send no new calls, new local calls fail,
// running calls and streams of both sides finish, then the node closes. If ctx ends
// first the rest is cut off as by Close, and ctx's error is returned.
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

// waitDrained polls: the end of a call pays nothing for the rare Shutdown.
func (m *Manager) waitDrained(ctx context.Context) error {
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		busy := 0
		m.conns.Range(func(_ string, c *Connection) bool {
			busy += c.inFlight()
			return true
		})
		if busy == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("gridnode: Shutdown: %d calls cut off: %w", busy, ctx.Err())
		case <-m.ctx.Done():
			return ErrClosed
		}
	}
}
