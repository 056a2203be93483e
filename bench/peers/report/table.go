// Package report prints and writes what a run has found.
package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// column is one number of a row.
type column struct {
	head string
	of   result.Of
}

var loadColumns = []column{
	{"p50", result.P50}, {"p99", result.P99}, {"p99.9", result.P999},
	{"CPU us", result.CPU}, {"allocs", result.Allocs}, {"B alloc", result.Bytes},
}

var idleColumns = []column{{"heap B", result.Heap}, {"stack B", result.Stack}, {"goroutines", result.Gos}}

// Text prints conditions, tables and figures.
func Text(w io.Writer, r *result.Run) {
	conditions(w, r.Conditions)
	for _, t := range r.Tables {
		Table(w, t)
	}
	Figures(w, r.Figures)
}

// Table prints one shape. The last columns tell how the first row of the subject
// compares with each other: below 1 it costs less, or moves less.
func Table(w io.Writer, t *result.Table) {
	fmt.Fprintf(w, "\n%s: %s\n", t.Shape, t.Title)
	columns := loadColumns
	if t.Unit == result.KiBEach {
		columns = idleColumns
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "peer\t%s\tmin\tmax\t", t.Unit)
	for _, c := range columns {
		fmt.Fprintf(tw, "%s\t", c.head)
	}
	fmt.Fprintf(tw, "rounds\t%s / this\t\n", t.Rows[0].Name)
	for _, row := range t.Rows {
		lowest, highest := row.Range(result.Value)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t", label(row), result.Format(row.Median(result.Value)), result.Format(lowest), result.Format(highest))
		for _, c := range columns {
			fmt.Fprintf(tw, "%s\t", result.Format(row.Median(c.of)))
		}
		fmt.Fprintf(tw, "%d\t%s\t\n", len(row.Rounds), ratio(t, row))
	}
	tw.Flush()
	for _, row := range t.Rows {
		if row.Err != "" {
			fmt.Fprintf(w, "  %s: %s\n", row.Name, strings.ReplaceAll(row.Err, "\n", "; "))
		}
	}
}

// label marks the floors.
func label(row *result.Row) string {
	if row.Role == peer.Floor {
		return row.Name + " (floor)"
	}
	return row.Name
}

// ratio is empty where the subject does not lead the table.
func ratio(t *result.Table, row *result.Row) string {
	first := t.Rows[0]
	if first == row || first.Role != peer.Subject {
		return ""
	}
	return result.Format(t.Ratio(first.Name, row.Name))
}

// Figures prints what was to be reached.
func Figures(w io.Writer, all []result.Figure) {
	counts := make(map[result.Verdict]int)
	group := ""
	fmt.Fprintf(w, "\nFigures to reach\n")
	for _, f := range all {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(w, "\n%s\n", group)
		}
		counts[f.Verdict]++
		measured := f.Measured
		if measured == "" {
			measured = "-"
		}
		fmt.Fprintf(w, "  %-12s  %s: %s\n", f.Verdict, f.Claim, measured)
	}
	fmt.Fprintf(w, "\n%d hold, %d fall short, %d not measured\n", counts[result.Holds], counts[result.FallsShort], counts[result.NotMeasured])
}

// Progress is one line for the terminal.
func Progress(shape, entrant string, round, rounds int, last measure.Number, unit result.Unit) string {
	return fmt.Sprintf("%s  %d/%d  %s  %s %s", shape, round, rounds, entrant, result.Format(last), unit)
}
