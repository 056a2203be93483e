package report

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// Progress tells what is going on: on a terminal in one line that changes, elsewhere
// in a plain line for each result. Its methods are for one goroutine.
type Progress struct {
	w        io.Writer
	terminal bool
	steps    int
	step     int
	each     time.Duration // estimated, for one step
	last     string        // the latest result
}

// NewProgress reports on w about this many measurements of about this time each.
func NewProgress(w io.Writer, steps int, each time.Duration) *Progress {
	return &Progress{w: w, terminal: isTerminal(w), steps: steps, each: each}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Connected tells how many nodes are up.
func (p *Progress) Connected(n, nodes int) {
	switch {
	case p.terminal:
		p.line(fmt.Sprintf("connecting  %d of %d nodes", n, nodes))
	case n == nodes:
		fmt.Fprintf(p.w, "connected %d nodes\n", nodes)
	}
}

// Begin tells that the next measurement has begun.
func (p *Progress) Begin(name string, callers int) {
	p.step++
	if !p.terminal {
		return
	}
	left := time.Duration(p.steps-p.step+1) * p.each
	p.line(fmt.Sprintf("%s %4.0f s left%s", p.title(label(name, callers)), left.Seconds(), p.last))
}

// title has the position and a name, padded so that what follows does not jump.
func (p *Progress) title(name string) string {
	digits := len(fmt.Sprint(p.steps))
	return fmt.Sprintf("[%*d/%d] %-26s", digits, p.step, p.steps, name)
}

// End tells a result.
func (p *Progress) End(r scenario.Result) {
	p.last = fmt.Sprintf("   before: %s ops/s", decimal(r.OpsPerSecond()))
	if !p.terminal {
		fmt.Fprintf(p.w, "%s %11s ops/s\n", p.title(label(r.Scenario, r.Callers)), decimal(r.OpsPerSecond()))
	}
}

// Close leaves an empty line to what comes next.
func (p *Progress) Close() {
	if p.terminal {
		p.line("")
	} else {
		fmt.Fprintln(p.w)
	}
}

// line replaces the line of the terminal.
func (p *Progress) line(s string) { fmt.Fprintf(p.w, "\r\x1b[K%s", s) }
