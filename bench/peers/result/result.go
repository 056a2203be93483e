// Package result is what a run has found: rows of samples, and the figures that are
// computed from them.
package result

import (
	"slices"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
)

// Unit is what the value of a shape is.
type Unit string

// The units.
const (
	MicrosPerCall    Unit = "us/call"
	MicrosPerMessage Unit = "us/message"
	MicrosPerStream  Unit = "us/stream"
	MegabytesPerSec  Unit = "MB/s"
	KiBEach          Unit = "KiB each"
)

// MoreIsBetter reports which way is up.
func (u Unit) MoreIsBetter() bool { return u == MegabytesPerSec }

// Run is everything of one run.
type Run struct {
	Conditions Conditions `json:"conditions"`
	Tables     []*Table   `json:"tables"`
	Figures    []Figure   `json:"figures"`
}

// Conditions are where, how and of what a run was made.
type Conditions struct {
	Date       string            `json:"date"`
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	GOMAXPROCS int               `json:"gomaxprocs"`
	Kernel     string            `json:"kernel"`
	Go         string            `json:"go"`
	Commit     string            `json:"commit"`
	Command    string            `json:"command"`
	Rounds     int               `json:"rounds"`
	Cell       string            `json:"cell"` // duration of one measurement
	LiveHeap   int               `json:"live_heap_mib"`
	Versions   map[string]string `json:"versions"`
	Aborted    bool              `json:"aborted,omitempty"`
}

// Table is a shape and its rows.
type Table struct {
	Shape string `json:"shape"`
	Title string `json:"title"`
	Unit  Unit   `json:"unit"`
	Rows  []*Row `json:"rows"`
}

// Row is what one peer has done in a shape.
type Row struct {
	Name    string           `json:"name"`
	Role    peer.Role        `json:"role"`
	OneConn bool             `json:"one_connection"`
	Rounds  []measure.Sample `json:"rounds"`
	Err     string           `json:"error,omitempty"`
}

// Table returns the table of a shape, or nil.
func (r *Run) Table(shape string) *Table {
	for _, t := range r.Tables {
		if t.Shape == shape {
			return t
		}
	}
	return nil
}

// Row returns the row of that name, or nil. It works on a nil table.
func (t *Table) Row(name string) *Row {
	if t == nil {
		return nil
	}
	for _, r := range t.Rows {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Of picks one number of a sample.
type Of func(measure.Sample) measure.Number

// The numbers.
var (
	Value  Of = func(s measure.Sample) measure.Number { return s.Value }
	P50    Of = func(s measure.Sample) measure.Number { return s.P50 }
	P99    Of = func(s measure.Sample) measure.Number { return s.P99 }
	P999   Of = func(s measure.Sample) measure.Number { return s.P999 }
	CPU    Of = func(s measure.Sample) measure.Number { return s.CPU }
	Allocs Of = func(s measure.Sample) measure.Number { return s.Allocs }
	Bytes  Of = func(s measure.Sample) measure.Number { return s.Bytes }
	Heap   Of = func(s measure.Sample) measure.Number { return s.Heap }
	Stack  Of = func(s measure.Sample) measure.Number { return s.Stack }
	Gos    Of = func(s measure.Sample) measure.Number { return s.Goroutines }
)

// sorted are the known numbers of all rounds.
func (r *Row) sorted(of Of) []float64 {
	if r == nil {
		return nil
	}
	var all []float64
	for _, s := range r.Rounds {
		if n := of(s); n.Known() {
			all = append(all, float64(n))
		}
	}
	slices.Sort(all)
	return all
}

// Median is that of the rounds; not known if there are none, or no row.
func (r *Row) Median(of Of) measure.Number {
	all := r.sorted(of)
	if len(all) == 0 {
		return measure.None
	}
	mid := len(all) / 2
	if len(all)%2 == 1 {
		return measure.Number(all[mid])
	}
	return measure.Number((all[mid-1] + all[mid]) / 2)
}

// Range is the smallest and the largest of the rounds.
func (r *Row) Range(of Of) (lowest, highest measure.Number) {
	all := r.sorted(of)
	if len(all) == 0 {
		return measure.None, measure.None
	}
	return measure.Number(all[0]), measure.Number(all[len(all)-1])
}

// Ratio is the median value of row a by that of row b: below 1, a costs less, or
// moves less. Unknown if either is.
func (t *Table) Ratio(a, b string) measure.Number {
	return t.Row(a).Median(Value) / t.Row(b).Median(Value)
}
