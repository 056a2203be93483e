package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// outcome is the one way in which a call has ended.
type outcome uint8

const (
	pending  outcome = iota
	complete         // the whole result
	planned          // the error that the plan asked of the handler
	unsent           // ErrNotSent
	lost             // ErrDisconnected, outcome unknown
	timedOut         // the call's own deadline
	outcomes         // their number
)

func (o outcome) String() string {
	return [...]string{"pending", "complete", "planned error", "not sent", "lost", "timed out"}[o]
}

// errPlanned is what handlers return when the plan says so.
var errPlanned = errors.New("planned failure")

// errorRegistered is made once per process: the table of errors only grows.
var errorRegistered = sync.OnceValue(func() error { return gridnode.RegisterError(1001, errPlanned) })

// outcomeOf sorts what a call returned. Anything that a cut cannot explain is a
// breach, a broken protocol above all.
func outcomeOf(err error) (outcome, error) {
	switch {
	case errors.Is(err, gridnode.ErrProtocol):
		return lost, fmt.Errorf("protocol broken: %w", err)
	case err == nil, err == io.EOF:
		return complete, nil
	case errors.Is(err, errPlanned):
		return planned, nil
	case errors.Is(err, gridnode.ErrNotSent):
		return unsent, nil
	case errors.Is(err, gridnode.ErrDisconnected):
		return lost, nil
	case errors.Is(err, context.DeadlineExceeded):
		return timedOut, nil
	}
	return lost, fmt.Errorf("ended in none of the allowed ways: %w", err)
}

// entry is the account of one call.
type entry struct {
	end  outcome
	runs int // handlers started
}

// ledger is the account of all calls of one round, kept by both sides of them. All
// methods may be called concurrently.
type ledger struct {
	mu       sync.Mutex
	last     uint64
	calls    map[uint64]*entry
	before   map[uint64]*entry // of the round before
	breaches []error
	ends     [outcomes]int // over all rounds
}

func newLedger() *ledger { return &ledger{calls: make(map[uint64]*entry)} }

// open begins the account of a new call.
func (l *ledger) open() (id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.calls[l.last] = &entry{}
	return l.last
}

// ran counts a handler that has started for this call.
func (l *ledger) ran(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.calls[id]; e != nil {
		e.runs++
		return
	}
	// A call that was given up may have been on its way when its round ended.
	e := l.before[id]
	if e == nil || e.runs > 0 || e.end != lost && e.end != timedOut {
		l.breaches = append(l.breaches, fmt.Errorf("call %d: a handler runs for a call of an earlier round", id))
		return
	}
	e.runs++
}

// end closes the account of a call with what it returned.
func (l *ledger) end(id uint64, err error) outcome {
	end, breach := outcomeOf(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.calls[id]
	if breach == nil && e.end != pending {
		breach = fmt.Errorf("ended as %v, and before as %v", end, e.end)
	}
	if breach != nil {
		l.breaches = append(l.breaches, fmt.Errorf("call %d: %w", id, breach))
	}
	e.end = end
	l.ends[end]++
	return end
}

// breach notes what must not happen.
func (l *ledger) breach(id uint64, format string, args ...any) error {
	err := fmt.Errorf("call %d: %s", id, fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaches = append(l.breaches, err)
	return err
}

// settle checks the books of a round, when no call and no handler is left, and begins
// the next. Only some of many breaches are told.
func (l *ledger) settle(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, e := range l.calls {
		wrong := ""
		switch {
		case e.end == pending:
			wrong = "did not end"
		case e.runs > 1:
			wrong = "was executed more than once"
		case e.runs == 0 && (e.end == complete || e.end == planned):
			wrong = "has a result without having run"
		case e.runs > 0 && e.end == unsent:
			wrong = "was executed and reported as not sent"
		}
		if wrong != "" {
			l.breaches = append(l.breaches, fmt.Errorf("call %d, %v, %d runs: it %s", id, e.end, e.runs, wrong))
		}
	}
	for i, err := range l.breaches {
		if i == 20 {
			t.Errorf("and %d more", len(l.breaches)-i)
			break
		}
		t.Error(err)
	}
	l.breaches = nil
	l.before, l.calls = l.calls, make(map[uint64]*entry)
}

// ended returns how many calls of all rounds have ended like this.
func (l *ledger) ended(end outcome) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[end]
}

// String tells how the calls of all rounds have ended.
func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("%d calls", l.last)
	for end := complete; end < outcomes; end++ {
		text += fmt.Sprintf(", %d %v", l.ends[end], end)
	}
	return text
}
