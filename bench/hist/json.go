package hist

import (
	"encoding/json"
	"fmt"
)

// encoded is how a histogram travels: only the buckets that count something.
type encoded struct {
	Min     uint64      `json:"min"`
	Max     uint64      `json:"max"`
	Buckets [][2]uint64 `json:"buckets"` // row*32+position, count
}

// MarshalJSON keeps everything.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	e := encoded{Min: h.min, Max: h.max}
	for row, counts := range h.rows {
		if counts == nil {
			continue
		}
		for pos, n := range counts {
			if n > 0 {
				e.Buckets = append(e.Buckets, [2]uint64{uint64(row*sub + pos), n})
			}
		}
	}
	return json.Marshal(e)
}

// UnmarshalJSON replaces what h has counted.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var e encoded
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	*h = Histogram{min: e.Min, max: e.Max}
	for _, bucket := range e.Buckets {
		index, n := bucket[0], bucket[1]
		if index >= rows*sub {
			return fmt.Errorf("hist: bucket %d of %d", index, rows*sub)
		}
		row := &h.rows[index/sub]
		if *row == nil {
			*row = new([sub]uint64)
		}
		(*row)[index%sub] += n
		h.count += n
	}
	return nil
}
