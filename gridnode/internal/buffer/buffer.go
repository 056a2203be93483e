// Package buffer recycles byte slices, by size.
package buffer

import (
	"bytes"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The sizes are four to a doubling, from MinSize to MaxSize bytes: a slice is at most
// a quarter longer than what was asked for. What is smaller or larger is the garbage
// collector's.
const (
	minBits = 6
	maxBits = 20

	MinSize = 1 << minBits
	MaxSize = 1 << maxBits

	classes = (maxBits-minBits)*4 + 1
)

// class is the free slices of one size. It holds bytes only, so it may be the
// process's.
type class struct {
	pool sync.Pool // of *byte, the first of size bytes: unlike a slice it needs no box

	// used is set by the first Free that this size could have served: before that, a
	// Get does not search the pool, and does not round up.
	used atomic.Bool
}

var free [classes]class

// size returns the length of the slices of a class, in bytes.
func size(c int) int { return (4 + c&3) << (minBits - 2 + c>>2) }

// roundDown returns the largest class whose size is at most n, which is at least
// MinSize and at most MaxSize.
func roundDown(n int) int {
	doubling := bits.Len(uint(n)) - 1
	return (doubling-minBits)<<2 | n>>(doubling-2)&3
}

// Get returns an empty slice with room for n bytes. They may hold anything.
func Get(n int) []byte {
	c := classOf(n)
	if c < 0 {
		return make([]byte, 0, n)
	}
	return get(c)
}

// Clone returns a copy of b, which is not nil.
func Clone(b []byte) []byte {
	c := classOf(len(b))
	if c < 0 {
		return bytes.Clone(b) // unlike make it does not clear what it copies to
	}
	return append(get(c), b...)
}

// classOf returns the class that serves n bytes, or less than 0 if none does, or none
// has been used.
func classOf(n int) int {
	if n <= MinSize/2 || n > MaxSize {
		return -1
	}
	c := roundDown(max(n, MinSize))
	if size(c) < n {
		c++
	}
	if !free[c].used.Load() {
		return -1
	}
	return c
}

func get(c int) []byte {
	if first, ok := free[c].pool.Get().(*byte); ok {
		return unsafe.Slice(first, size(c))[:0]
	}
	return make([]byte, 0, size(c))
}

// Free takes back a slice that nobody uses any more, wherever it comes from, for a
// later Get: from the length on, too.
func Free(b []byte) {
	n := cap(b)
	if n < MinSize || n >= 2*MaxSize {
		return
	}
	c := roundDown(min(n, MaxSize))
	free[c].use()
	if n > size(c) && c+1 < classes {
		free[c+1].use() // what was asked for, perhaps: the next will be round
	}
	free[c].pool.Put(unsafe.SliceData(b))
}

func (c *class) use() {
	if !c.used.Load() {
		c.used.Store(true)
	}
}
