package actor

import "sync/atomic"

// State is where an actor is in its life, which only moves forward.
type State uint32

// The states, in order.
const (
	Idle     State = iota // made, not started
	Running               // takes messages
	Stopping              // poisoned, its body has not returned yet
	Dead                  // its body has returned
)

func (s State) String() string {
	return [...]string{"idle", "running", "stopping", "dead"}[s]
}

// lifecycle holds a State.
type lifecycle struct{ v atomic.Uint32 }

func (l *lifecycle) state() State { return State(l.v.Load()) }

// to is the one transition function: it moves forward and reports whether it did.
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
