package gridnode

import (
	"errors"
	"testing"
	"testing/synctest"
)

func TestASessionThatDiesBeforeItIsAttachedIsNeverUsed(t *testing.T) {
	s, _ := live(t, Config{}, nil)
	c := s.conn
	// What Closed does, up to the last line: the actor may run before that.
	s.mu.Lock()
	s.err = lostError("http://b:1", errors.New("reset"))
	s.mu.Unlock()
	c.receive(connEvent{kind: eventLost, session: s, err: s.err})
	c.receive(connEvent{kind: eventAttached, session: s})
	if c.session.Load() == s || c.State() == StateConnected {
		t.Errorf("a dead session is in use, and nothing will ever end it: %v", c.State())
	}
}

func TestANewerSessionReplacesTheOlderOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, wire := live(t, Config{}, nil)
		c := old.conn
		c.receive(connEvent{kind: eventAttached, session: old})
		if c.State() != StateConnected || c.session.Load() != old {
			t.Fatal("not attached")
		}
		newer := newSession(c, old.peer, false)
		newer.wire = newFakeWire()
		c.receive(connEvent{kind: eventAttached, session: newer})
		if c.session.Load() != newer || !errors.Is(wire.err(), errReplaced) {
			t.Errorf("the older one was closed with %v", wire.err())
		}
		// The loss of the older one changes nothing any more.
		old.Closed(errReplaced)
		synctest.Wait() // the actor has heard of it
		if c.session.Load() != newer || c.State() != StateConnected {
			t.Error("the older session took the newer one with it")
		}
		newer.Closed(nil)
	})
}

func TestEveryCallOfALostSessionEndsWithItsFirstError(t *testing.T) {
	s, _ := live(t, Config{}, nil)
	c := s.conn
	c.receive(connEvent{kind: eventAttached, session: s})
	s.mu.Lock()
	p, err := s.addCall(t.Context())
	s.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	reset := errors.New("connection reset")
	s.Closed(reset)
	if _, err := p.wait(t.Context()); !errors.Is(err, ErrDisconnected) || errors.Is(err, ErrNotSent) || !errors.Is(err, reset) {
		t.Error(err)
	}
	if _, err := c.Request(t.Context(), 1, nil); !errors.Is(err, ErrNotSent) {
		t.Errorf("a call after the loss: %v", err)
	}
	if _, err := s.request(t.Context(), 0, nil); !errors.Is(err, ErrDisconnected) {
		t.Errorf("a call that had found the session before the loss: %v", err)
	}
}

func TestMuxIDsOfTheWrongSideOrOrderEndTheSession(t *testing.T) {
	s, _ := live(t, Config{}, nil) // its peer dialled: the peer opens odd IDs
	for _, c := range []struct {
		id uint64
		ok bool
	}{{1, true}, {1, false}, {2, false}, {7, true}, {5, false}, {9, true}, {0, false}} {
		if err := s.accept(c.id); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrProtocol) {
			t.Errorf("opening mux %d: %v", c.id, err)
		}
	}
	for _, c := range []struct {
		id uint64
		ok bool
	}{{9, true}, {3, true}, {11, false}, {2, false}} {
		if err := s.known(c.id); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrProtocol) {
			t.Errorf("a frame for mux %d: %v", c.id, err)
		}
	}
	s.open() // 2
	if err := s.known(2); err != nil {
		t.Error(err)
	}
}
