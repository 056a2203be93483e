package frames

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What is wrong with a frame; Decode wraps them.
var (
	ErrTruncated = errors.New("frames: truncated")
	ErrMalformed = errors.New("frames: malformed")
	ErrUnknownOp = errors.New("frames: unknown op")
	ErrChecksum  = errors.New("frames: checksum mismatch")
)

// decoder walks over one frame. After the first error it yields zeros.
type decoder struct {
	b   []byte
	err error
}

// Decode decodes the first frame of b into f, all of whose fields it sets, and
// returns what follows it. It never reads beyond b and never allocates on success.
func Decode(b []byte, f *Frame) (rest []byte, err error) {
	*f = Frame{}
	if len(b) < 2 {
		return nil, ErrTruncated
	}
	if b[0]&0xf0 != 0x90 {
		return nil, fmt.Errorf("%w: 0x%02x is not a short array", ErrMalformed, b[0])
	}
	n := int(b[0] & 0x0f)
	f.Op = Op(b[1])
	d := decoder{b: b[2:]}
	switch f.Op {
	case OpRequest, OpReply, OpOpen, OpData:
		d.message(f, n)
	case OpCredit:
		d.expect(n, 3)
		f.Mux = d.uint()
		f.Credit = d.uint()
	case OpCloseSend:
		d.expect(n, 2)
		f.Mux = d.mux()
	case OpStatus, OpCancel:
		d.expect(n, 4)
		f.Mux = d.mux()
		f.Code = Code(d.uint32())
		f.Text = d.text()
	case OpPing, OpPong:
		d.expect(n, 2)
		f.Credit = d.uint()
	case OpGoaway:
		d.expect(n, 3)
		f.Code = Code(d.uint32())
		f.Text = d.text()
	default:
		return nil, fmt.Errorf("%w: %d", ErrUnknownOp, b[1])
	}
	if d.err != nil {
		return nil, fmt.Errorf("%v frame: %w", f.Op, d.err)
	}
	return d.b, nil
}

func (d *decoder) message(f *Frame, n int) {
	f.Flags = Flags(d.byte())
	if f.Flags&^(FlagMore|FlagCont) != 0 {
		d.fail(ErrMalformed)
	}
	d.expect(n, fields(f.Op, f.Flags)+1)
	f.Mux = d.mux()
	if f.Flags&FlagCont == 0 {
		if f.Op == OpRequest || f.Op == OpOpen {
			f.Target = d.uint32()
			f.Timeout = d.uint()
		}
		if f.Op == OpOpen {
			f.Credit = d.uint()
		}
		if f.Flags&FlagMore != 0 {
			f.Size = d.uint()
		}
	}
	f.Payload = d.payload()
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) expect(got, want int) {
	if got != want {
		d.fail(ErrMalformed)
	}
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail(ErrTruncated)
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

// take returns the next n bytes.
func (d *decoder) take(n uint64) []byte {
	if uint64(len(d.b)) < n {
		d.fail(ErrTruncated)
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

// uint accepts only the shortest form of a number, so that each frame has exactly
// one encoding.
func (d *decoder) uint() uint64 {
	c := d.byte()
	var v, least uint64
	switch {
	case c < 0x80:
		return uint64(c)
	case c == 0xcc:
		v, least = uint64(d.byte()), 0x80
	case c == 0xcd:
		if p := d.take(2); p != nil {
			v = uint64(binary.BigEndian.Uint16(p))
		}
		least = 1 << 8
	case c == 0xce:
		if p := d.take(4); p != nil {
			v = uint64(binary.BigEndian.Uint32(p))
		}
		least = 1 << 16
	case c == 0xcf:
		if p := d.take(8); p != nil {
			v = binary.BigEndian.Uint64(p)
		}
		least = 1 << 32
	default:
		d.fail(ErrMalformed)
		return 0
	}
	if v < least {
		d.fail(ErrMalformed)
	}
	return v
}

func (d *decoder) uint32() uint32 {
	v := d.uint()
	if v > 1<<32-1 {
		d.fail(ErrMalformed)
	}
	return uint32(v)
}

// mux is the ID of a mux, which is never 0.
func (d *decoder) mux() uint64 {
	v := d.uint()
	if v == 0 {
		d.fail(ErrMalformed)
	}
	return v
}

// payload is a bin, or nil. An empty bin is not nil.
func (d *decoder) payload() []byte {
	switch d.byte() {
	case 0xc0:
		return nil
	case 0xc4:
		return d.take(uint64(d.byte()))
	case 0xc5:
		if p := d.take(2); p != nil {
			return d.take(uint64(binary.BigEndian.Uint16(p)))
		}
	case 0xc6:
		if p := d.take(4); p != nil {
			return d.take(uint64(binary.BigEndian.Uint32(p)))
		}
	default:
		d.fail(ErrMalformed)
	}
	return nil
}

// text is a str; empty text is nil.
func (d *decoder) text() []byte {
	var n uint64
	switch c := d.byte(); {
	case c&0xe0 == 0xa0:
		n = uint64(c & 0x1f)
	case c == 0xd9:
		n = uint64(d.byte())
	case c == 0xda:
		if p := d.take(2); p != nil {
			n = uint64(binary.BigEndian.Uint16(p))
		}
	case c == 0xdb:
		if p := d.take(4); p != nil {
			n = uint64(binary.BigEndian.Uint32(p))
		}
	default:
		d.fail(ErrMalformed)
	}
	if p := d.take(n); len(p) > 0 {
		return p
	}
	return nil
}
