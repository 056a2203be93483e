package mailbox_test

import (
	"slices"

	"github.com/actorgrid/actorgrid/mailbox"
)

// model is what a Mailbox promises, in the simplest form.
type model struct {
	capacity   int
	queue      []int
	state      int
	cause      error
	puts, gets []*call // that wait; a put's m is its message
	stats      mailbox.Stats
}

const (
	openState = iota
	closedState
	poisonedState
)

func (m *model) sendersCause() error {
	if m.state == closedState {
		return mailbox.ErrClosed // the program closes without a cause only
	}
	return m.cause
}

func (m *model) tryPut(v int) error {
	switch {
	case m.state != openState:
		return m.sendersCause()
	case len(m.queue) >= m.capacity:
		m.stats.Full++
		return mailbox.ErrFull
	}
	m.accept(v)
	m.settle()
	return nil
}

func (m *model) accept(v int) {
	m.queue = append(m.queue, v)
	m.stats.Puts++
	m.stats.MaxLen = max(m.stats.MaxLen, uint64(len(m.queue)))
}

func (m *model) putDropOldest(v int) (bool, error) {
	err := m.tryPut(v)
	if err != mailbox.ErrFull || m.capacity == 0 {
		return false, err
	}
	m.queue = m.queue[1:]
	m.stats.Dropped++
	m.accept(v)
	return true, nil
}

func (m *model) tryGet() (int, bool, error) {
	switch {
	case m.state == poisonedState, m.state == closedState && len(m.queue) == 0:
		return 0, false, m.cause
	case len(m.queue) == 0:
		return 0, false, nil
	}
	v := m.queue[0]
	m.queue = m.queue[1:]
	m.stats.Gets++
	m.settle()
	return v, true, nil
}

func (m *model) start(op byte, v int) *call {
	if op == opPut {
		c := &call{what: "put", m: v}
		if m.state == openState && len(m.queue) >= m.capacity {
			m.stats.Full++
		}
		m.puts = append(m.puts, c)
		m.settle()
		return c
	}
	c := &call{what: "get"}
	m.gets = append(m.gets, c)
	m.settle()
	return c
}

// settle lets those that wait have what there is, oldest first.
func (m *model) settle() {
	for {
		switch {
		case len(m.puts) > 0 && m.state != openState:
			m.puts[0].err, m.puts[0].done = m.sendersCause(), true
			m.puts = m.puts[1:]
		case len(m.puts) > 0 && len(m.queue) < m.capacity:
			c := m.puts[0]
			m.puts = m.puts[1:]
			c.done = true
			m.accept(c.m)
		case len(m.gets) > 0:
			c := m.gets[0]
			m.gets = m.gets[1:] // tryGet settles, too
			v, ok, err := m.tryGet()
			if !ok && err == nil {
				m.gets = append([]*call{c}, m.gets...)
				return
			}
			c.m, c.err, c.done = v, err, true
		default:
			return
		}
	}
}

func (m *model) oneThatWaits(arg int, calls []*call) int {
	var waiting []int
	for i, c := range calls {
		if !c.done {
			waiting = append(waiting, i)
		}
	}
	if len(waiting) == 0 {
		return -1
	}
	return waiting[arg%len(waiting)]
}

func (m *model) cancel(c *call) {
	c.err, c.done = errCancel, true
	is := func(x *call) bool { return x == c }
	m.puts, m.gets = slices.DeleteFunc(m.puts, is), slices.DeleteFunc(m.gets, is)
}

func (m *model) end(state int, cause error) {
	if m.state < state {
		m.state, m.cause = state, cause
		m.settle()
	}
}

func (m *model) drain() []int {
	left := m.queue
	m.queue = nil
	m.stats.Dropped += uint64(len(left))
	return left
}
