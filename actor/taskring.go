package actor

// taskRing is a FIFO queue of tasks. It grows to the longest that it ever was, a power
// of two, and stays: in a steady state it costs no allocation.
type taskRing struct {
	slots  []Task
	head   int
	length int
}

func (r *taskRing) push(t Task) {
	if r.length == len(r.slots) {
		slots := make([]Task, max(16, 2*len(r.slots)))
		n := copy(slots, r.slots[r.head:])
		copy(slots[n:], r.slots[:r.head])
		r.slots, r.head = slots, 0
	}
	r.slots[(r.head+r.length)&(len(r.slots)-1)] = t
	r.length++
}

// pop takes the oldest task, if there is one.
func (r *taskRing) pop() (t Task, ok bool) {
	if r.length == 0 {
		return nil, false
	}
	t = r.slots[r.head]
	r.slots[r.head] = nil
	r.head = (r.head + 1) & (len(r.slots) - 1)
	r.length--
	return t, true
}
