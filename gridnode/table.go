package gridnode

import (
	"iter"
	"math/bits"
	"math/rand/v2"
)

// table finds what lives by its mux ID, which is never 0. Its owner's lock guards it.
// The zero value is an empty table, without memory.
//
// With 64 entries a map takes four times as long (BenchmarkTable): this hashes by a
// single multiplication. The factor is random, since the IDs of half of the muxes are
// the peer's choice.
type table[V any] struct {
	slots  []slot[V] // a power of two, of which at most half are in use
	factor uint64    // odd
	shift  int
	length int
}

type slot[V any] struct {
	id uint64 // 0: free
	v  V
}

const (
	leastSlots = 8
	// mostIdleSlots is what a table without entries keeps at most.
	mostIdleSlots = 4096
)

// home is where the search for an ID begins; it goes on to the first free slot.
func (t *table[V]) home(id uint64) int { return int(id * t.factor >> t.shift) }

// find returns the slot of an ID, or a free one.
func (t *table[V]) find(id uint64) int {
	i := t.home(id)
	for t.slots[i].id != id && t.slots[i].id != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

// get returns what has this ID, or the zero value.
func (t *table[V]) get(id uint64) (v V) {
	if t.length == 0 {
		return v
	}
	return t.slots[t.find(id)].v
}

// put inserts v, in place of what has this ID already.
func (t *table[V]) put(id uint64, v V) {
	if 2*t.length >= len(t.slots) {
		t.resize(max(2*len(t.slots), leastSlots))
	}
	s := &t.slots[t.find(id)]
	if s.id == 0 {
		t.length++
	}
	s.id, s.v = id, v
}

func (t *table[V]) resize(n int) {
	before := t.slots
	t.slots = make([]slot[V], n)
	t.factor, t.shift = rand.Uint64()|1, 64-bits.Len(uint(n-1))
	for !t.spreads() {
		t.factor = rand.Uint64() | 1
	}
	for _, s := range before {
		if s.id != 0 {
			t.slots[t.find(s.id)] = s
		}
	}
}

// spreads reports whether IDs in a row, which are two apart, do not gather in a few
// places: none of the next ones may come home to the slot of the first. Without this
// one table in a hundred took ten steps and more to find what is in it.
func (t *table[V]) spreads() bool {
	for i := range uint64(len(t.slots) / 16) {
		if away := int64(2 * (i + 1) * t.factor); max(away, -away)>>t.shift == 0 {
			return false
		}
	}
	return true
}

// take removes what has this ID, and returns it, or the zero value.
func (t *table[V]) take(id uint64) (v V) {
	if t.length == 0 {
		return v
	}
	i := t.find(id)
	if t.slots[i].id == 0 {
		return v
	}
	v = t.slots[i].v
	t.length--
	if t.length == 0 && len(t.slots) > mostIdleSlots {
		t.slots = nil
		return v
	}
	t.free(i)
	return v
}

// free makes slot i free, and moves up what would not be found behind it.
func (t *table[V]) free(i int) {
	mask := len(t.slots) - 1
	for j := (i + 1) & mask; t.slots[j].id != 0; j = (j + 1) & mask {
		if (j-t.home(t.slots[j].id))&mask >= (j-i)&mask { // its search comes by i
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = slot[V]{}
}

// len returns how many there are.
func (t *table[V]) len() int { return t.length }

// all yields all, in no order. The table must not change meanwhile.
func (t *table[V]) all() iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		for _, s := range t.slots {
			if s.id != 0 && !yield(s.id, s.v) {
				return
			}
		}
	}
}
