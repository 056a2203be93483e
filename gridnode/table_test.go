package gridnode

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// A table does what a map does, for IDs in a row with stragglers, and for those that
// a peer chooses to be a nuisance.
func TestATableIsAMap(t *testing.T) {
	for name, next := range map[string]func(id uint64) uint64{
		"in a row":    func(id uint64) uint64 { return id + 2 },
		"far apart":   func(id uint64) uint64 { return id + 1<<32 },
		"anything":    func(id uint64) uint64 { return id + 2*rand.Uint64N(1<<20) + 2 },
		"one doubled": func(id uint64) uint64 { return max(id<<1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			var got table[*int]
			want := map[uint64]*int{}
			id := uint64(1)
			for step := range 60_000 {
				switch busy := step/5_000%2 == 0; {
				case len(want) == 0 || rand.IntN(100) < 50 && (busy || len(want) < 20):
					v := new(int)
					got.put(id, v)
					want[id] = v
					if id = next(id); id == 0 {
						id = 1
					}
				default:
					sameEntry(t, &got, want, anyKey(want))
				}
				sameEntry(t, &got, want, id) // not there, unless the IDs have begun anew
				if got.len() != len(want) || step%1000 == 0 && !maps.Equal(maps.Collect(got.all()), want) {
					t.Fatalf("step %d: %d entries, want %d, or others", step, got.len(), len(want))
				}
			}
			for id := range want {
				sameEntry(t, &got, want, id)
			}
			if got.len() != 0 || len(maps.Collect(got.all())) != 0 {
				t.Errorf("%d left", got.len())
			}
		})
	}
}

func anyKey(m map[uint64]*int) uint64 {
	for id := range m {
		return id
	}
	return 0
}

// sameEntry looks an ID up and takes it out, on both sides.
func sameEntry(t *testing.T, got *table[*int], want map[uint64]*int, id uint64) {
	t.Helper()
	if g, w := got.get(id), want[id]; g != w {
		t.Fatalf("get %d: %p, want %p", id, g, w)
	}
	if g, w := got.take(id), want[id]; g != w {
		t.Fatalf("take %d: %p, want %p", id, g, w)
	}
	delete(want, id)
}

func TestATableKeepsLittleWhenItIsEmpty(t *testing.T) {
	var got table[*int]
	v := new(int)
	for n := range uint64(10_000) {
		got.put(n+1, v)
	}
	got.put(1, nil) // in place of the other
	for n := range uint64(10_000) {
		got.take(n + 1)
	}
	if got.len() != 0 || len(got.slots) > mostIdleSlots {
		t.Errorf("%d entries, %d slots", got.len(), len(got.slots))
	}
	if got.take(5) != nil || got.get(5) != nil {
		t.Error("something in an empty table")
	}
}

// Whatever factor a table has drawn, IDs in a row are found within a few steps.
func TestATableFindsIDsInARowAtOnce(t *testing.T) {
	for _, n := range []uint64{64, 1000} {
		for range 1000 {
			var some table[*int]
			steps := 0
			for i := range n {
				some.put(2*i+1, nil)
			}
			for i := range n {
				steps += (some.find(2*i+1) - some.home(2*i+1)) & (len(some.slots) - 1)
			}
			if steps > 10*int(n) {
				t.Fatalf("%d steps for %d IDs, factor %#x", steps, n, some.factor)
			}
		}
	}
}

func BenchmarkTable(b *testing.B) {
	b.Run("table", func(b *testing.B) {
		var t table[*int]
		v := new(int)
		for n := range uint64(b.N) { // 64 at a time
			t.put(2*n+1, v)
			if n >= 64 {
				t.take(2*(n-64) + 1)
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		m := map[uint64]*int{}
		v := new(int)
		for n := range uint64(b.N) {
			m[2*n+1] = v
			if n >= 64 {
				_ = m[2*(n-64)+1]
				delete(m, 2*(n-64)+1)
			}
		}
	})
}
