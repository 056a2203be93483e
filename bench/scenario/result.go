package scenario

import "time"

// Result is what a Pass has measured.
type Result struct {
	Scenario    string
	Callers     int // of each node that has some
	AllCallers  int // of all nodes
	Ops         uint64
	Errors      uint64 // callers that ended with an error
	Err         string // the first of them
	Interrupted bool   // before the time was over
	Seconds     float64
	P50, P99    time.Duration // of one operation, as its caller saw it
	P999, Max   time.Duration
	Bytes       uint64 // of payload, delivered in either direction
	Allocs      uint64 // of all processes, both ends
	Goroutines  int    // of all processes, when the time was over
}

// onlyErrors is what counts of a warm-up.
func (r Result) onlyErrors() Result {
	return Result{
		Scenario:    r.Scenario,
		Callers:     r.Callers,
		AllCallers:  r.AllCallers,
		Errors:      r.Errors,
		Err:         r.Err,
		Interrupted: r.Interrupted,
	}
}

// OpsPerSecond is of all callers together.
func (r Result) OpsPerSecond() float64 { return ratio(float64(r.Ops), r.Seconds) }

// MicrosPerOp is the wall time for each operation, of all callers together.
func (r Result) MicrosPerOp() float64 { return ratio(r.Seconds*1e6, float64(r.Ops)) }

// MegabytesPerSecond is of payload, 10^6 bytes.
func (r Result) MegabytesPerSecond() float64 { return ratio(float64(r.Bytes)/1e6, r.Seconds) }

// AllocsPerOp counts both ends.
func (r Result) AllocsPerOp() float64 { return ratio(float64(r.Allocs), float64(r.Ops)) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
