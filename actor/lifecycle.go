package actor

import (
	"fmt"
	"sync/atomic"
)

// State is where an actor is in its life, which only moves forward.
type State uint8

// The states, in order.
const (
	Idle     State = iota // made, not started
	Running               // takes messages
	Stopping              // poisoned, its body has not returned yet
	Dead                  // its body has returned
)

// String returns the state's name in lower case.
func (s State) String() string {
	names := [...]string{"idle", "running", "stopping", "dead"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// lifecycle holds a State.
type lifecycle struct{ v atomic.Uint32 }

func (l *lifecycle) state() State { return State(l.v.Load()) }

// to is the one transition function: it moves forward, over several states if need
// be, and reports whether it did. Of several callers one gets true.
func (l *lifecycle) to(next State) bool {
	for {
		now := l.v.Load()
		if State(now) >= next {
			return false
		}
		if l.v.CompareAndSwap(now, uint32(next)) {
			return true
		}
	}
}
