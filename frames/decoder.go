package frames

import "encoding/binary"

// decoder reads the elements of one frame. It keeps the first error; what it yields
// after that means nothing. It is not msgp's reader, which accepts numbers and lengths that are
// not in their shortest form.
type decoder struct {
	b   []byte
	at  int // what follows is still to be read
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) expect(got, want int) {
	if got != want {
		d.fail(ErrMalformed)
	}
}

func (d *decoder) byte() byte {
	if d.at >= len(d.b) {
		d.fail(ErrTruncated)
		return 0
	}
	c := d.b[d.at]
	d.at++
	return c
}

// take returns the next n bytes, which nobody can append to.
func (d *decoder) take(n uint64) []byte {
	if uint64(len(d.b)-d.at) < n {
		d.fail(ErrTruncated)
		return nil
	}
	end := d.at + int(n)
	p := d.b[d.at:end:end]
	d.at = end
	return p
}

// number is a big-endian number of size bytes. One that is less than least would
// have had a shorter form.
func (d *decoder) number(size, least uint64) (v uint64) {
	p := d.take(size)
	switch len(p) {
	case 0:
		return 0
	case 1:
		v = uint64(p[0])
	case 2:
		v = uint64(binary.BigEndian.Uint16(p))
	case 4:
		v = uint64(binary.BigEndian.Uint32(p))
	case 8:
		v = binary.BigEndian.Uint64(p)
	}
	if v < least {
		d.fail(ErrMalformed)
		return 0
	}
	return v
}

// uint is an unsigned number in its shortest form.
func (d *decoder) uint() uint64 {
	switch c := d.byte(); {
	case c < 0x80:
		return uint64(c)
	case c == 0xcc:
		return d.number(1, 0x80)
	case c == 0xcd:
		return d.number(2, 1<<8)
	case c == 0xce:
		return d.number(4, 1<<16)
	case c == 0xcf:
		return d.number(8, 1<<32)
	}
	d.fail(ErrMalformed)
	return 0
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
		return d.take(d.number(1, 0))
	case 0xc5:
		return d.take(d.number(2, 1<<8))
	case 0xc6:
		return d.take(d.number(4, 1<<16))
	}
	d.fail(ErrMalformed)
	return nil
}

// text is a str; an empty one is nil.
func (d *decoder) text() []byte {
	var n uint64
	switch c := d.byte(); {
	case c&0xe0 == 0xa0:
		n = uint64(c & 0x1f)
	case c == 0xd9:
		n = d.number(1, 1<<5)
	case c == 0xda:
		n = d.number(2, 1<<8)
	case c == 0xdb:
		n = d.number(4, 1<<16)
	default:
		d.fail(ErrMalformed)
	}
	if n == 0 {
		return nil
	}
	return d.take(n)
}
