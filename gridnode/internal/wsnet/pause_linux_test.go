package wsnet

import (
	"runtime"
	"strings"
	"testing"
)

// pausing returns how many pollers wait in the runtime's poller.
func pausing() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for g := range strings.SplitSeq(string(stacks), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if strings.Contains(head, "[IO wait") && strings.Contains(g, ".(*pause).wait(") {
			n++
		}
	}
	return n
}

// Else a processor would be kept, and what is to run on it would wait.
func TestPollersWithoutEventsLeaveTheirProcessors(t *testing.T) {
	h := newTCP(t)
	pollers := runtime.GOMAXPROCS(0)
	c, _ := h.pair(t)
	for range 50 {
		c.mustSend(t, pattern(100))
		receive(t, c.got)
		eventually(t, "all pollers wait", func() bool { return pausing() == pollers })
	}
}
