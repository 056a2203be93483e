package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// column is one column of the table; all but the first are aligned to the right.
type column struct {
	title string
	cell  func(r scenario.Result) string
}

var columns = []column{
	{"scenario", func(r scenario.Result) string { return r.Scenario }},
	{"callers", func(r scenario.Result) string { return strconv.Itoa(r.Callers) }},
	{"ops/s", func(r scenario.Result) string { return decimal(r.OpsPerSecond()) }},
	{"us/op", func(r scenario.Result) string { return decimal(r.MicrosPerOp()) }},
	{"p50 us", func(r scenario.Result) string { return micros(r.P50) }},
	{"p99 us", func(r scenario.Result) string { return micros(r.P99) }},
	{"p99.9 us", func(r scenario.Result) string { return micros(r.P999) }},
	{"MB/s", func(r scenario.Result) string { return decimal(r.MegabytesPerSecond()) }},
	{"allocs/op", func(r scenario.Result) string { return decimal(r.AllocsPerOp()) }},
	{"goroutines", func(r scenario.Result) string { return whole(float64(r.Goroutines)) }},
}

var errorsColumn = column{"errors", func(r scenario.Result) string { return whole(float64(r.Errors)) }}

// WriteTable writes the results, with a gap between families of scenarios, and a
// column of errors only if there are any.
func WriteTable(w io.Writer, results []scenario.Result) {
	shown := columns
	for _, r := range results {
		if r.Errors > 0 {
			shown = append(shown[:len(shown):len(shown)], errorsColumn)
			break
		}
	}
	rows := make([][]string, 0, len(results)+1)
	rows = append(rows, make([]string, len(shown)))
	for i, c := range shown {
		rows[0][i] = c.title
	}
	for _, r := range results {
		row := make([]string, len(shown))
		for i, c := range shown {
			row[i] = c.cell(r)
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(shown))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for i, row := range rows {
		if i > 0 && (i == 1 || family(results[i-1]) != family(results[i-2])) {
			fmt.Fprintln(w)
		}
		writeRow(w, row, widths)
	}
}

func writeRow(w io.Writer, row []string, widths []int) {
	fmt.Fprintf(w, "%-*s", widths[0], row[0])
	for i, cell := range row[1:] {
		fmt.Fprintf(w, "  %*s", widths[i+1], cell)
	}
	fmt.Fprintln(w)
}

// family is what stands together: the streams of one kind, or one scenario.
func family(r scenario.Result) string {
	kind, _, _ := strings.Cut(r.Scenario, "-")
	return strings.TrimSuffix(kind, "10")
}

// WriteLegend says what the columns and the scenarios of the results mean.
func WriteLegend(w io.Writer, results []scenario.Result) {
	fmt.Fprint(w, `callers     goroutines that call, each one operation after the other; all-to-all: so many on every node
us/op       wall time / operations, of all callers together
p50 ...     time of one operation as its caller saw it, within 1.6 %
MB/s        payload delivered, both directions together, 10^6 bytes
allocs/op   heap allocations of all nodes, so both ends of a call, and of the callers
goroutines  of all nodes and callers at the end of the measurement
`)
	shown := map[string]bool{}
	for _, r := range results {
		shown[r.Scenario] = true
	}
	fmt.Fprintln(w, "\none operation is")
	for _, s := range scenario.All() {
		if shown[s.Name] {
			fmt.Fprintf(w, "  %-16s  %s\n", s.Name, s.About)
		}
	}
}

// WriteProblems tells what went wrong; it writes nothing if nothing did.
func WriteProblems(w io.Writer, results []scenario.Result) {
	for _, r := range results {
		if r.Errors > 0 {
			fmt.Fprintf(w, "%s: %d of %d callers failed, the first with: %s\n", label(r.Scenario, r.Callers), r.Errors, r.AllCallers, r.Err)
		}
	}
}

func label(scenario string, callers int) string {
	if callers == 1 {
		return scenario + ", 1 caller"
	}
	return fmt.Sprintf("%s, %d callers", scenario, callers)
}
