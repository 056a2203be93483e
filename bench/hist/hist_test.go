package hist

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quantiles = []float64{0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1}

// exact is the smallest value that the share q does not exceed.
func exact(sorted []time.Duration, q float64) time.Duration {
	rank := min(max(int(math.Ceil(q*float64(len(sorted)))), 1), len(sorted))
	return sorted[rank-1]
}

func distributions(n int) map[string][]time.Duration {
	r := rand.New(rand.NewPCG(1, 2))
	d := map[string][]time.Duration{}
	for range n {
		d["uniform"] = append(d["uniform"], time.Duration(r.Int64N(1e6)))
		d["exponential"] = append(d["exponential"], time.Duration(r.ExpFloat64()*50e3))
		d["log uniform"] = append(d["log uniform"], time.Duration(math.Exp(r.Float64()*30)))
		d["two humps"] = append(d["two humps"], time.Duration(1e4+r.Int64N(100)+r.Int64N(100)/99*1e9))
		d["tiny"] = append(d["tiny"], time.Duration(r.Int64N(40)))
		d["constant"] = append(d["constant"], 12345)
	}
	return d
}

func TestQuantilesAreWithinTheRelativeErrorOfTheExactOnes(t *testing.T) {
	for _, n := range []int{1, 2, 10, 1001, 50000} {
		for name, values := range distributions(n) {
			var h Histogram
			for _, v := range values {
				h.Record(v)
			}
			slices.Sort(values)
			wantQuantiles(t, name, &h, values)
		}
	}
}

func wantQuantiles(t *testing.T, name string, h *Histogram, sorted []time.Duration) {
	t.Helper()
	if h.Count() != uint64(len(sorted)) || h.Max() != sorted[len(sorted)-1] {
		t.Errorf("%s: count %d, max %v; want %d, %v", name, h.Count(), h.Max(), len(sorted), sorted[len(sorted)-1])
	}
	for _, q := range quantiles {
		got, want := h.Quantile(q), exact(sorted, q)
		if diff := math.Abs(float64(got - want)); diff > RelativeError*float64(want) {
			t.Errorf("%s, %d values: quantile %v is %d ns, exact %d ns, off by %.4f", name, len(sorted), q, got, want, diff/float64(want))
		}
	}
}

func TestMergedHistogramsAreTheHistogramOfAllValues(t *testing.T) {
	for name, values := range distributions(5000) {
		parts := make([]Histogram, 7)
		for i, v := range values {
			parts[i%len(parts)].Record(v)
		}
		var whole Histogram
		whole.Merge(&Histogram{})
		for i := range parts {
			whole.Merge(&parts[i])
		}
		slices.Sort(values)
		wantQuantiles(t, name, &whole, values)
	}
}

func TestJSONKeepsTheHistogram(t *testing.T) {
	for name, values := range distributions(2000) {
		var h, got Histogram
		for _, v := range values {
			h.Record(v)
		}
		b, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		slices.Sort(values)
		wantQuantiles(t, name, &got, values)
	}
	if err := json.Unmarshal([]byte(`{"buckets":[[100000,1]]}`), new(Histogram)); err == nil {
		t.Error("a bucket that does not exist was accepted")
	}
}

func TestEdgesOfTheRange(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 || h.Count() != 0 {
		t.Error("an empty histogram is not all zero")
	}
	h.Record(-5)
	h.Record(math.MaxInt64)
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("a negative duration counts as %v, want 0", got)
	}
	if got := h.Quantile(1); got < 1<<(maxBits-1) {
		t.Errorf("the longest duration counts as %v", got)
	}
	if h.Allocations() != 2 {
		t.Errorf("%d rows allocated, want 2", h.Allocations())
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	v := time.Duration(1)
	b.ReportAllocs()
	for b.Loop() {
		h.Record(v)
		v = (v*7 + 13) & (1<<20 - 1)
	}
}
