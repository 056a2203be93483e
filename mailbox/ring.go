package mailbox

// ring is a FIFO queue that grows on demand. Its owner's lock guards it.
type ring[M any] struct {
	slots  []M // nil while nothing was ever queued
	head   int // the oldest, if length > 0
	length int
}

// push appends m; there are fewer than limit messages.
func (r *ring[M]) push(m M, limit int) {
	if r.length == len(r.slots) {
		r.grow(limit)
	}
	i := r.head + r.length
	if i >= len(r.slots) {
		i -= len(r.slots)
	}
	r.slots[i] = m
	r.length++
}

// grow doubles the room, up to limit.
func (r *ring[M]) grow(limit int) {
	slots := make([]M, min(max(2*len(r.slots), 4), limit))
	n := copy(slots, r.slots[r.head:])
	copy(slots[n:], r.slots[:r.head])
	r.slots, r.head = slots, 0
}

// pop removes the oldest message; there is one. Its slot is zeroed, so that the ring
// keeps nothing alive that was handed out.
func (r *ring[M]) pop() M {
	var zero M
	m := r.slots[r.head]
	r.slots[r.head] = zero
	if r.head++; r.head == len(r.slots) {
		r.head = 0
	}
	r.length--
	return m
}
