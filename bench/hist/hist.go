// Package hist counts durations in buckets that grow with the value, so that any
// quantile of any number of measurements is known within 1/64 of its value.
package hist

import (
	"math"
	"math/bits"
	"time"
)

const (
	subBits = 5            // each power of two is cut into 2^subBits buckets
	sub     = 1 << subBits // buckets per row
	maxBits = 44           // longer than 2^44 ns, almost five hours, counts as that
	rows    = maxBits - subBits + 1
)

// RelativeError is the most by which Quantile may be off, relative to the value.
const RelativeError = 1.0 / (2 * sub)

// Histogram counts durations. Each belongs to one goroutine, which pays neither a
// lock nor an atomic operation; Merge sums them up. The zero value is empty. A row is
// allocated when the first value falls into it: a caller touches few of them, and
// there may be a hundred thousand callers.
type Histogram struct {
	count    uint64
	min, max uint64
	rows     [rows]*[sub]uint64
}

// Record counts d; a negative one counts as 0.
func (h *Histogram) Record(d time.Duration) {
	v := uint64(max(d, 0))
	row, pos := place(v)
	r := h.rows[row]
	if r == nil {
		r = new([sub]uint64)
		h.rows[row] = r
	}
	r[pos]++
	if h.count == 0 || v < h.min {
		h.min = v
	}
	h.max = max(h.max, v)
	h.count++
}

// place returns the bucket of v: the first row is exact, in row n a bucket is
// 2^(n-1) wide.
func place(v uint64) (row, pos int) {
	v = min(v, 1<<maxBits-1)
	if v < sub {
		return 0, int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return shift + 1, int(v>>shift) - sub
}

// middle is the value that stands for a bucket.
func middle(row, pos int) uint64 {
	if row == 0 {
		return uint64(pos)
	}
	shift := row - 1
	return uint64(pos+sub)<<shift + uint64(1)<<shift/2
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	if other.count == 0 {
		return
	}
	if h.count == 0 || other.min < h.min {
		h.min = other.min
	}
	h.max = max(h.max, other.max)
	h.count += other.count
	for i, from := range other.rows {
		if from == nil {
			continue
		}
		if h.rows[i] == nil {
			h.rows[i] = new([sub]uint64)
		}
		for pos, n := range from {
			h.rows[i][pos] += n
		}
	}
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Max returns the longest, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max) }

// Allocations returns how many heap objects Record has allocated, so that whoever
// counts allocations can leave them out.
func (h *Histogram) Allocations() int {
	n := 0
	for _, r := range h.rows {
		if r != nil {
			n++
		}
	}
	return n
}

// Quantile returns a duration that at least the share q, between 0 and 1, of all
// does not exceed, within RelativeError; 0 if nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := min(max(uint64(math.Ceil(q*float64(h.count))), 1), h.count)
	var seen uint64
	for row, counts := range h.rows {
		if counts == nil {
			continue
		}
		for pos, n := range counts {
			if seen += n; n > 0 && seen >= rank {
				return time.Duration(min(max(middle(row, pos), h.min), h.max))
			}
		}
	}
	return 0
}
