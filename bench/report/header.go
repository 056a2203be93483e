package report

import (
	"fmt"
	"io"
	"time"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// Setup is what was measured, and for how long.
type Setup struct {
	Config   scenario.Config
	Topology scenario.Topology
	Duration time.Duration // of each line of the table
}

// WriteHeader writes what a reader must know before the table.
func WriteHeader(w io.Writer, m Machine, s Setup) {
	if revision := m.Revision(); revision != "" {
		fmt.Fprintf(w, "commit   %s\n", revision)
	}
	fmt.Fprintf(w, "machine  %s\n", m)
	where := "in one process"
	if s.Config.Processes {
		where = "each in its own process"
	}
	link := "loopback TCP"
	if s.Config.TLS {
		link += " with TLS"
	}
	fmt.Fprintf(w, "grid     %d nodes %s, %s over %s\n",
		s.Config.Nodes, where, connections(s.Topology), link)
	fmt.Fprintf(w, "load     %s payload each way, streams at window %d, %v per line after a warm-up\n",
		bytesOf(s.Config.Size), s.Config.Window, s.Duration)
}

// connections counts them; each pair of nodes has one.
func connections(t scenario.Topology) string {
	n := whole(float64(t.Pairs()))
	if t.AllPairs() == 1 {
		return "1 connection"
	}
	if t.Pairs() == t.AllPairs() {
		return n + " connections (all pairs)"
	}
	return fmt.Sprintf("%s connections (of %s pairs)", n, whole(float64(t.AllPairs())))
}
