package wsnet

import (
	"net/http"
	"testing"
	"time"
)

// TestNoDeadlineOfTheHTTPServerIsLeft: a server's timeouts are over with the upgrade,
// for a connection that is idle beyond them and for one that is busy.
func TestNoDeadlineOfTheHTTPServerIsLeft(t *testing.T) {
	const timeout = 2 * time.Second // the handshakes must be in time, on a machine that pauses
	var busy, idle []*end
	for _, n := range networks {
		h := n.host(t, func(s *http.Server) {
			s.ReadTimeout, s.ReadHeaderTimeout, s.WriteTimeout, s.IdleTimeout = timeout, timeout, timeout, timeout
		})
		c, _ := h.pair(t)
		busy = append(busy, c)
		c, _ = h.pair(t)
		idle = append(idle, c)
	}
	quiet := time.After(timeout + timeout/10) // all deadlines that are left come within
	for over := false; !over; {
		for _, c := range busy {
			c.mustSend(t, []byte("x"))
			receive(t, c.got)
		}
		select {
		case <-quiet:
			over = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	for _, c := range idle {
		c.mustSend(t, []byte("awake"))
		if got := receive(t, c.got); string(got) != "awake" {
			t.Errorf("got %q", got)
		}
	}
}
