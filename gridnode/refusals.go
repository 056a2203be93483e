package gridnode

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

const (
	refusalPause = 10 * time.Minute // between two warnings of one kind
	maxRefusals  = 256              // kinds of which there may be a warning in that time
)

// refusals remembers which refusals have been logged: a peer that is refused comes again,
// every few seconds, and whoever reaches the node may be refused.
type refusals struct {
	mu     sync.Mutex
	logged map[refusal]time.Duration // when, on the node's clock
}

// refusal is one kind, for one peer. What the application says of a credential may be
// another text each time, and is not part of it.
type refusal struct {
	host, claimed, reason string
	code                  Code
}

// due reports whether r is to be logged at now.
func (l *refusals) due(r refusal, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.logged[r]; ok && now-at < refusalPause {
		return false
	}
	if len(l.logged) >= maxRefusals {
		for old, at := range l.logged {
			if now-at >= refusalPause {
				delete(l.logged, old)
			}
		}
		if len(l.logged) >= maxRefusals {
			return false
		}
	}
	if l.logged == nil {
		l.logged = make(map[refusal]time.Duration)
	}
	l.logged[r] = now
	return true
}

// logRefusal logs why a connection was not accepted. A knock is no failure.
func (m *Manager) logRefusal(from, claimed string, err error) {
	r := refusal{host: from, claimed: claimed[:min(len(claimed), maxLoggedText)]}
	if host, _, err := net.SplitHostPort(from); err == nil {
		r.host = host
	}
	var e *Error
	if errors.As(err, &e) {
		if r.code = e.Code; r.code != frames.RefuseToken {
			r.reason = e.Message
		}
	}
	level := slog.LevelDebug
	switch {
	case r.code == frames.RefuseDirection:
		m.log.Debug("knock", "from", from)
		return
	case m.refusals.due(r, m.now()):
		level = slog.LevelWarn
	}
	m.log.Log(m.ctx, level, "refused a connection", "from", from, "error", err)
}
