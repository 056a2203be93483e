package gridnode

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// heldLog is a log that takes a line and does not return.
type heldLog struct {
	slog.Handler
	entered chan struct{} // has room for all lines of the test
	held    chan struct{}
}

func (l *heldLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *heldLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *heldLog) Handle(context.Context, slog.Record) error {
	l.entered <- struct{}{}
	<-l.held
	return nil
}

// While a connection's actor is held up, by the log, a peer that knocks all the while
// takes no room from what must not be lost: the end of a session, say, without which
// Close waits for it in vain, or that of an attempt, without which there is no other.
func TestAFloodOfKnocksLeavesRoom(t *testing.T) {
	log := &heldLog{entered: make(chan struct{}, 100), held: make(chan struct{})}
	s, _ := live(t, Config{Logger: slog.New(log)}, nil)
	c := s.conn
	c.dials = true // whatever their names say
	c.attach(s)
	<-log.entered
	knock := c.node.hello(c.node.cfg.Local, "")
	knock.Local = c.remote
	for range 2 * connMailbox {
		if _, _, refusal := c.node.check(t.Context(), &knock, nil); refusal == nil || refusal.Code != frames.RefuseDirection {
			t.Fatal(refusal)
		}
	}
	if queued := c.actor.Len(); queued == 0 || queued > connMailbox/2+1 {
		t.Errorf("%d events are queued", queued)
	}
	s.Closed(errors.New("reset"))
	close(log.held) // and Close is clean
}
