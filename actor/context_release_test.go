package actor

import (
	"context"
	"testing"
	"time"
)

func TestContextFinishReleasesTimerAndParent(t *testing.T) {
	var parent, c Context
	parent.Init(context.Background(), time.Now().Add(2*time.Hour))
	c.Init(&parent, time.Now().Add(time.Hour))
	c.Done()
	if c.timer == nil || parent.callbacks == nil {
		t.Fatal("it watches neither the clock nor the parent")
	}
	c.Finish()
	if c.timer.Stop() {
		t.Error("the timer ran on")
	}
	if parent.callbacks != nil {
		t.Error("the parent still knows it")
	}
	parent.Finish()
}
