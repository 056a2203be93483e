package gridnode

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// fakeWire is a transport that remembers what was sent, and says of itself what the
// test wants.
type fakeWire struct {
	mu                  sync.Mutex
	sent                []frames.Frame // payloads and texts copied
	closed              []error
	pending             int
	unread, room        bool
	unacked             int
	lastRead, lastWrite time.Duration
	news                chan struct{} // a token for every Send and Close, if there is room
}

func newFakeWire() *fakeWire { return &fakeWire{lastRead: wsnet.Now(), news: make(chan struct{}, 1)} }

func (w *fakeWire) Send(buf []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := bytes.Clone(buf[wsnet.HeaderSpace:])
	for len(body) > 0 {
		var f frames.Frame
		rest, err := frames.Decode(body, &f)
		if err != nil {
			return err
		}
		w.sent, body = append(w.sent, f), rest
	}
	w.tell()
	return nil
}

func (w *fakeWire) Close(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = append(w.closed, err)
	w.tell()
}

func (w *fakeWire) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *fakeWire) Pending() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending
}

func (w *fakeWire) LastRead() time.Duration  { return w.lastRead }
func (w *fakeWire) LastWrite() time.Duration { return w.lastWrite }
func (w *fakeWire) Unread() bool             { return w.unread }
func (w *fakeWire) Room() bool               { return w.room }
func (w *fakeWire) Unacked() int             { return w.unacked }

// err is what the session was closed with, nil while it lives.
func (w *fakeWire) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.closed) == 0 {
		return nil
	}
	return w.closed[0]
}

// wait returns the next frame with this op for this mux, and forgets it.
func (w *fakeWire) wait(t *testing.T, op frames.Op, mux uint64) frames.Frame {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		for i, f := range w.sent {
			if f.Op == op && f.Mux == mux {
				w.sent = append(w.sent[:i:i], w.sent[i+1:]...)
				w.mu.Unlock()
				return f
			}
		}
		w.mu.Unlock()
		select {
		case <-w.news:
		case <-deadline:
			t.Fatalf("no %v for mux %d; sent %+v, closed %v", op, mux, w.sent, w.closed)
		}
	}
}

// live returns a session on a fake wire whose peer has dialled and serves what remote
// says. The node has the handlers of register.
func live(t *testing.T, cfg Config, register func(m *Manager) error) (*session, *fakeWire) {
	t.Helper()
	cfg.Local, cfg.Peers = "http://127.0.0.1:1", []string{"http://127.0.0.1:2"}
	m, err := NewManager(cfg)
	if err == nil && register != nil {
		err = register(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := m.Connection("http://127.0.0.1:2")
	s := newSession(c, peerInfo{name: c.remote, maxMessage: m.cfg.MaxMessage, window: m.cfg.Window}, false)
	w := newFakeWire()
	s.wire = w
	t.Cleanup(func() {
		select {
		case <-s.done:
		default:
			s.Closed(context.Canceled)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, w
}

// receive makes frames arrive in one message, and fails the test if that ends the
// session.
func receive(t *testing.T, s *session, fs ...frames.Frame) {
	t.Helper()
	if err := arrive(s, fs...); err != nil {
		t.Fatalf("the session ends: %v", err)
	}
}

func arrive(s *session, fs ...frames.Frame) error {
	var b []byte
	for i := range fs {
		b = frames.Append(b, &fs[i])
	}
	err := s.Message(b)
	if err == nil {
		s.BatchEnd()
	}
	return err
}
