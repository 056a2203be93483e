// Package measure runs load and counts what it costs this process.
package measure

import (
	"math"
	"time"

	"github.com/actorgrid/actorgrid/bench/hist"
)

// Sample is one measurement. What was not measured is NaN there and absent in JSON.
type Sample struct {
	Value  Number `json:"value"` // in the unit of its shape
	Ops    int64  `json:"ops"`
	P50    Number `json:"p50_us"` // of the latency
	P99    Number `json:"p99_us"`
	P999   Number `json:"p999_us"`
	CPU    Number `json:"cpu_us"`      // of this process, per op
	Allocs Number `json:"allocs"`      // per op
	Bytes  Number `json:"alloc_bytes"` // allocated per op

	// Of idle things, each.
	Heap       Number `json:"heap_bytes"`
	Stack      Number `json:"stack_bytes"`
	Goroutines Number `json:"goroutines"`
}

// Number is a float64 of which NaN is null in JSON.
type Number float64

// None is a Number that was not measured.
var None = Number(math.NaN())

// Known reports whether n was measured.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) }

// empty is a Sample of which nothing is known.
func empty() Sample {
	return Sample{Value: None, P50: None, P99: None, P999: None, CPU: None, Allocs: None, Bytes: None, Heap: None, Stack: None, Goroutines: None}
}

// micros is d in microseconds.
func micros(d time.Duration) Number { return Number(float64(d) / 1e3) }

// latencies fills in the quantiles.
func (s *Sample) latencies(h *hist.Histogram) {
	s.P50, s.P99, s.P999 = micros(h.Quantile(0.5)), micros(h.Quantile(0.99)), micros(h.Quantile(0.999))
}
