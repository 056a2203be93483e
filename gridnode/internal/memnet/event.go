package memnet

import (
	"context"
	"sync"
	"time"
)

// event wakes all who wait for it. The mutex of its owner guards it.
type event struct{ fired chan struct{} }

func (e *event) fire() {
	if e.fired != nil {
		close(e.fired)
		e.fired = nil
	}
}

func (e *event) channel() <-chan struct{} {
	if e.fired == nil {
		e.fired = make(chan struct{})
	}
	return e.fired
}

// park waits for the event or the deadline, if there is one, and gives mu up
// meanwhile. The caller then looks again at what it waits for.
func (e *event) park(mu *sync.Mutex, deadline time.Time) {
	fired := e.channel()
	mu.Unlock()
	defer mu.Lock()
	if deadline.IsZero() {
		<-fired
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-fired:
	case <-timer.C:
	}
}

// parkContext is park with a context in the deadline's place.
func (e *event) parkContext(mu *sync.Mutex, ctx context.Context) error {
	fired := e.channel()
	mu.Unlock()
	defer mu.Lock()
	select {
	case <-fired:
	case <-ctx.Done():
	}
	return ctx.Err()
}
