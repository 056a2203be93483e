package chaos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// ending is how a handler is to end a call.
type ending uint32

const (
	endWell ending = iota
	endFailing
	endHanging // not before its context does
)

// plan is what a call is to do. It travels in the head of every message, so that
// each message proves what it is.
type plan struct {
	id    uint64
	items int // messages of a stream, each way that it has
	size  int // bytes of each message
	end   ending
}

const headSize = 8 + 4 + 4 + 4 + 4

// message returns the nth message of the plan.
func (p plan) message(n int) []byte {
	msg := make([]byte, max(p.size, headSize))
	binary.BigEndian.PutUint64(msg, p.id)
	binary.BigEndian.PutUint32(msg[8:], uint32(n))
	binary.BigEndian.PutUint32(msg[12:], uint32(p.items))
	binary.BigEndian.PutUint32(msg[16:], uint32(p.size))
	binary.BigEndian.PutUint32(msg[20:], uint32(p.end))
	// The rest repeats a block that no other message has.
	body := msg[headSize:]
	filled := copy(body, fmt.Sprintf("%d/%d of %d bytes;", p.id, n, p.size))
	for 0 < filled && filled < len(body) {
		filled += copy(body[filled:], body[:filled])
	}
	return msg
}

// planOf reads the plan in a message's head; the rest is for wantMessage.
func planOf(msg []byte) (plan, error) {
	if len(msg) < headSize {
		return plan{}, fmt.Errorf("message of %d bytes has no head", len(msg))
	}
	return plan{
		id:    binary.BigEndian.Uint64(msg),
		items: int(binary.BigEndian.Uint32(msg[12:])),
		size:  int(binary.BigEndian.Uint32(msg[16:])),
		end:   ending(binary.BigEndian.Uint32(msg[20:])),
	}, nil
}

// wantMessage checks that msg is the nth message of the plan, byte for byte.
func (p plan) wantMessage(msg []byte, n int) error {
	if bytes.Equal(msg, p.message(n)) {
		return nil
	}
	if len(msg) < headSize {
		return fmt.Errorf("message %d: %d bytes", n, len(msg))
	}
	return fmt.Errorf("message %d: %d bytes, of call %d, number %d", n, len(msg), binary.BigEndian.Uint64(msg), binary.BigEndian.Uint32(msg[8:]))
}

// largeSize is a message of many fragments.
const largeSize = 1 << 20

// draw makes a plan by chance: mostly small, sometimes large, now and then one that
// fails or hangs.
func draw(r *rand.Rand, id uint64) plan {
	p := plan{id: id, items: r.IntN(30), size: r.IntN(600)}
	switch r.IntN(40) {
	case 0:
		p.size, p.items = largeSize, r.IntN(3)
	case 1, 2:
		p.size, p.items = r.IntN(100<<10), r.IntN(10)
	case 3, 4:
		p.end = endFailing
	case 5:
		p.end = endHanging
	}
	return p
}
