package result

import (
	"fmt"
	"math"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
)

// Verdict is what a run says of a figure.
type Verdict string

// The verdicts.
const (
	Holds       Verdict = "holds"
	FallsShort  Verdict = "falls short"
	NotMeasured Verdict = "not measured"
)

// Figure is one figure to reach, and what this run has measured.
type Figure struct {
	Group    string  `json:"group"`
	Claim    string  `json:"claim"`
	Measured string  `json:"measured"`
	Verdict  Verdict `json:"verdict"`
}

// judge collects figures.
type judge struct {
	run     *Run
	subject string // the row that is judged
	note    string // before the names of groups: what is special with it
	group   string
	list    []Figure
}

func (j *judge) add(claim, measured string, v Verdict) {
	j.list = append(j.list, Figure{Group: j.note + j.group, Claim: claim, Measured: measured, Verdict: v})
}

// atMost judges a value against a limit.
func (j *judge) atMost(claim string, value measure.Number, limit float64, unit string) {
	if !value.Known() {
		j.add(claim, "", NotMeasured)
		return
	}
	j.add(claim, Format(value)+unit, verdict(float64(value) <= limit))
}

// atLeast is the opposite.
func (j *judge) atLeast(claim string, value measure.Number, limit float64, unit string) {
	if !value.Known() {
		j.add(claim, "", NotMeasured)
		return
	}
	j.add(claim, Format(value)+unit, verdict(float64(value) >= limit))
}

func verdict(ok bool) Verdict {
	if ok {
		return Holds
	}
	return FallsShort
}

// value is the median of a row.
func (j *judge) value(shape, row string, of Of) measure.Number {
	return j.run.Table(shape).Row(row).Median(of)
}

// ratio is the value of the subject by that of another row.
func (j *judge) ratio(shape, row string) measure.Number {
	return j.run.Table(shape).Ratio(j.subject, row)
}

// worst is the largest of what is known; unknown if one is not.
func worst(all ...measure.Number) measure.Number {
	w := measure.Number(math.Inf(-1))
	for _, n := range all {
		if !n.Known() {
			return measure.None
		}
		w = max(w, n)
	}
	return w
}

// least is the smallest; unknown if one is not.
func least(all ...measure.Number) measure.Number {
	for i := range all {
		all[i] = -all[i]
	}
	return -worst(all...)
}

// Format is a number with three digits that matter; "-" if it is not known.
func Format(n measure.Number) string {
	f := float64(n)
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "-"
	case abs >= 100:
		return fmt.Sprintf("%.0f", f)
	case abs >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
