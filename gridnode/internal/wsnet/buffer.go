package wsnet

import (
	"math/bits"
	"sync"
)

// Messages that come in parts are put together in buffers of these sizes, powers of
// two; larger ones are the garbage collector's.
const (
	minBufferBits = 12
	maxBufferBits = 20
)

// buffers is a pool for each size. It holds bytes only, so it may be the process's.
var buffers [maxBufferBits + 1]sync.Pool

// newBuffer returns an empty buffer with room for n bytes.
func newBuffer(n int) []byte {
	size := max(bits.Len(uint(max(n, 1)-1)), minBufferBits)
	if size > maxBufferBits {
		return make([]byte, 0, n)
	}
	if b, ok := buffers[size].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<size)
}

// freeBuffer takes back a buffer that nobody uses any more. One that has grown, or
// come from elsewhere, goes to the pool of the largest size that it can serve.
func freeBuffer(b []byte) {
	if size := bits.Len(uint(cap(b))) - 1; minBufferBits <= size && size <= maxBufferBits {
		buffers[size].Put(&b)
	}
}
