package gridnode

import "time"

// recvWindow is the receiving side of the session's byte window (SPEC.md section 11.2).
// It acknowledges the bytes of large payloads at receipt, not at consumption: the window
// bounds what is on the link, which is what a small call has to wait behind. The reader
// owns it.
//
// A window has one size for throughput and another for latency: with 512 KiB a message
// of 64 KiB takes 48 us and a call beside sixteen streams of them 730; with 128 KiB,
// 80 and 220. So it is narrowed while small calls come in between, by holding back what
// would be given back to the sender.
type recvWindow struct {
	size  uint64 // bytes, as granted by the handshake
	used  uint64 // bytes received and not given back
	since uint64 // bytes received since the last small payload
}

const (
	// A window is narrowed to a quarter, but not below two fragments: a sender needs
	// room for a whole one.
	leastWindow = 2 * fragmentSize

	// calm is how many bytes of large payloads have to come, and nothing small between
	// them, until the window is wide again.
	calm = 16 << 20

	// far is a round trip, as the last ping measured it, from which on the window stays
	// wide. What a link moves is at most a window in a round trip: a narrow one could
	// leave it empty most of the time.
	far = 500 * time.Microsecond
)

func newRecvWindow(size int) recvWindow { return recvWindow{size: uint64(size), since: calm} }

// small notes a small payload.
func (w *recvWindow) small() { w.since = 0 }

// large counts a large payload. It returns how much is to be given back to the sender,
// half of what it has at a time: a quarter at a time took 1.7 writes for a message of 64
// KiB, and this takes 1.4. It returns false for more than there was room for.
func (w *recvWindow) large(n uint64) (back uint64, ok bool) {
	w.used += n
	w.since = min(w.since+n, calm)
	if w.used > w.size {
		return 0, false
	}
	withheld := uint64(0)
	if w.since < calm {
		withheld = w.size - max(w.size/4, leastWindow)
	}
	if w.used < withheld+(w.size-withheld)/2 {
		return 0, true
	}
	back = w.used - withheld
	w.used = withheld
	return back, true
}
