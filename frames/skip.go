package frames

// form says how long a msgpack value is: so many bytes behind its first one, and a
// length of so many bytes, which counts bytes, or elements if per is not 0.
type form struct{ fixed, length, per uint8 }

// forms are those of the first bytes 0xc0 to 0xdf.
var forms = [32]form{
	0x04: {length: 1}, 0x05: {length: 2}, 0x06: {length: 4}, // bin
	0x07: {fixed: 1, length: 1}, 0x08: {fixed: 1, length: 2}, 0x09: {fixed: 1, length: 4}, // ext
	0x0a: {fixed: 4}, 0x0b: {fixed: 8}, // float
	0x0c: {fixed: 1}, 0x0d: {fixed: 2}, 0x0e: {fixed: 4}, 0x0f: {fixed: 8}, // uint
	0x10: {fixed: 1}, 0x11: {fixed: 2}, 0x12: {fixed: 4}, 0x13: {fixed: 8}, // int
	0x14: {fixed: 2}, 0x15: {fixed: 3}, 0x16: {fixed: 5}, 0x17: {fixed: 9}, 0x18: {fixed: 17}, // fixext
	0x19: {length: 1}, 0x1a: {length: 2}, 0x1b: {length: 4}, // str
	0x1c: {length: 2, per: 1}, 0x1d: {length: 4, per: 1}, // array
	0x1e: {length: 2, per: 2}, 0x1f: {length: 4, per: 2}, // map
}

// skip returns what follows the first msgpack value of b, all of which must be there.
// It is not msgp.Skip, which takes a level of the stack for each level of the value,
// and on 32-bit processors believes lengths above 2^31.
func skip(b []byte) (rest []byte, err error) {
	for pending := uint64(1); pending > 0; pending-- {
		size, elements := extent(b)
		if size == 0 {
			return nil, ErrMalformed
		}
		if size > uint64(len(b)) {
			return nil, ErrTruncated
		}
		b = b[size:]
		pending += elements
	}
	return b, nil
}

// extent returns how many bytes the first value of b takes without its elements, and
// how many elements there are: 0 bytes if there is no such value, more than there are
// in b if it is cut.
func extent(b []byte) (size, elements uint64) {
	if len(b) == 0 {
		return 1, 0
	}
	switch c := b[0]; {
	case c < 0x80, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3:
		return 1, 0
	case c < 0x90:
		return 1, 2 * uint64(c&0x0f)
	case c < 0xa0:
		return 1, uint64(c & 0x0f)
	case c < 0xc0:
		return 1 + uint64(c&0x1f), 0
	case c == 0xc1:
		return 0, 0
	}
	f := forms[b[0]-0xc0]
	size = 1 + uint64(f.length) + uint64(f.fixed)
	if size > uint64(len(b)) {
		return size, 0
	}
	n := uint64(0)
	for _, c := range b[1 : 1+f.length] {
		n = n<<8 | uint64(c)
	}
	if f.per > 0 {
		return size, n * uint64(f.per)
	}
	return size + n, 0
}
