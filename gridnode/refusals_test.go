package gridnode

import (
	"fmt"
	"testing"
	"time"
)

// Whoever reaches the node may be refused under as many names as he likes: that fills
// neither the log nor the memory, and what comes later is logged again.
func TestRefusalsAreLoggedAtABoundedRate(t *testing.T) {
	var l refusals
	for _, now := range []time.Duration{0, refusalPause - 1, refusalPause, 3 * refusalPause} {
		warned := 0
		for i := range 10_000 {
			if l.due(refusal{host: "h", claimed: fmt.Sprint(i)}, now) {
				warned++
			}
		}
		want := maxRefusals
		if now == refusalPause-1 {
			want = 0
		}
		if warned != want || len(l.logged) > maxRefusals {
			t.Errorf("at %v: %d lines, want %d; %d remembered", now, warned, want, len(l.logged))
		}
	}
}
