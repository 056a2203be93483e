// Package buffer recycles byte slices, by size.
package buffer

import (
	"bytes"
	"math/bits"
	"sync"
	"sync/atomic"
)

// The sizes are four to a doubling, from MinSize to MaxSize bytes. What is smaller, or
// twice as large, is the garbage collector's.
const (
	minBits = 6
	maxBits = 20

	MinSize = 1 << minBits
	MaxSize = 1 << maxBits

	classes = (maxBits-minBits)*4 + 1
)

// class is the free slices whose capacity is of one size, or up to the next. They are
// bytes only, so they may be the process's.
type class struct {
	pool sync.Pool   // of *box
	used atomic.Bool // set by the first Free: before that nobody searches the pool
}

// box is what a pool can hold without an allocation.
type box struct{ b []byte }

var (
	free  [classes]class
	boxes = sync.Pool{New: func() any { return new(box) }}
)

// size returns the least capacity of a class, in bytes.
func size(c int) int { return (4 + c&3) << (minBits - 2 + c>>2) }

// classOf returns the class of a capacity, which is at least MinSize.
func classOf(n int) int {
	n = min(n, MaxSize)
	doubling := bits.Len(uint(n)) - 1
	return (doubling-minBits)<<2 | n>>(doubling-2)&3
}

// Get returns an empty slice with room for n bytes, and up to twice as many, for those
// who give it back. It may hold anything.
func Get(n int) []byte {
	if n > MaxSize {
		return make([]byte, 0, n)
	}
	c := classOf(max(n, MinSize))
	if size(c) < n {
		c++
	}
	if b := free[c].take(n); b != nil {
		return b
	}
	return make([]byte, 0, size(c))
}

// Exact returns an empty slice with room for n bytes and no more, for those who hand it
// out: who appends to what he was given must not find room there.
func Exact(n int) []byte {
	if n >= MinSize {
		if b := free[classOf(n)].take(n); b != nil {
			return b[:0:n]
		}
	}
	return make([]byte, 0, n)
}

// Clone returns a copy of b, which is not nil, as Exact does.
func Clone(b []byte) []byte {
	n := len(b)
	if n >= MinSize {
		if c := free[classOf(n)].take(n); c != nil {
			return append(c[:0:n], b...)
		}
	}
	return bytes.Clone(b)[:n:n] // unlike make it does not clear what it copies to
}

// take returns a free slice with room for n bytes, or nil. One that is too small is left
// to the garbage collector: larger ones are asked for.
func (c *class) take(n int) []byte {
	if !c.used.Load() {
		return nil
	}
	x, ok := c.pool.Get().(*box)
	if !ok {
		return nil
	}
	b := x.b
	x.b = nil
	boxes.Put(x)
	if cap(b) < n {
		return nil
	}
	return b
}

// Free takes back a slice that nobody uses any more, wherever it comes from, with all of
// its capacity.
func Free(b []byte) {
	if n := cap(b); n < MinSize || n >= 2*MaxSize {
		return
	}
	c := &free[classOf(cap(b))]
	if !c.used.Load() {
		c.used.Store(true)
	}
	x := boxes.Get().(*box)
	x.b = b[:0]
	c.pool.Put(x)
}
