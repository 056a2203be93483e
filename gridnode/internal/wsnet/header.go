package wsnet

import "encoding/binary"

// HeaderSpace is what a buffer given to Send reserves in front, in bytes: the
// longest header of a frame (RFC 6455 section 5.2), with its masking key.
const HeaderSpace = 14

// Opcodes (RFC 6455 section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// maxControl is the longest payload of a control frame (RFC 6455 section 5.5).
const maxControl = 125

// header is a frame header.
type header struct {
	fin    bool
	op     byte
	masked bool
	key    [4]byte
	length uint64 // of the payload
	size   int    // of the header itself; 0 while it is incomplete
}

func (h *header) control() bool { return h.op >= opClose }

// headerSize tells from the second byte of a header how long it is.
func headerSize(b1 byte) int {
	size := 2
	switch b1 & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if b1&0x80 != 0 {
		size += 4
	}
	return size
}

// parseHeader decodes the header in front of b. Its size is 0 if b is too short for
// it; what two bytes show to be wrong is an error even then.
func parseHeader(b []byte) (h header, err error) {
	if len(b) < 2 {
		return header{}, nil
	}
	if b[0]&0x70 != 0 {
		return header{}, violation(codeProtocol, "reserved bits set")
	}
	op := b[0] & 0x0f
	if op > opBinary && op < opClose || op > opPong {
		return header{}, violation(codeProtocol, "opcode %d", op)
	}
	size := headerSize(b[1])
	if len(b) < size {
		return header{}, nil
	}
	h = header{fin: b[0]&0x80 != 0, op: op, masked: b[1]&0x80 != 0, length: uint64(b[1] & 0x7f), size: size}
	switch h.length {
	case 126:
		if h.length = uint64(binary.BigEndian.Uint16(b[2:])); h.length < 126 {
			return header{}, violation(codeProtocol, "length not in its shortest form")
		}
	case 127:
		if h.length = binary.BigEndian.Uint64(b[2:]); h.length < 1<<16 || h.length>>63 != 0 {
			return header{}, violation(codeProtocol, "length not in its shortest form, or negative")
		}
	}
	if h.masked {
		copy(h.key[:], b[size-4:size])
	}
	return h, nil
}

// putHeader writes the header of an unfragmented frame of n payload bytes so that it
// ends at buf[HeaderSpace], and returns where it begins. A client masks with a key
// of zero: RFC 6455 section 5.3 asks for an unpredictable one to protect proxies
// from scripts in browsers, which have no part here.
func putHeader(buf []byte, op byte, n int, client bool) int {
	start := HeaderSpace - 2
	if client {
		start -= 4
	}
	switch {
	case n > 1<<16-1:
		start -= 8
	case n > maxControl:
		start -= 2
	}
	b := buf[start:HeaderSpace]
	b[0] = 0x80 | op
	switch {
	case n > 1<<16-1:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
	case n > maxControl:
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(n))
	default:
		b[1] = byte(n)
	}
	if client {
		b[1] |= 0x80
		clear(b[len(b)-4:])
	}
	return start
}

// newFrame makes a whole frame; the paths that are hot frame in place instead.
func newFrame(op byte, payload []byte, client bool) []byte {
	buf := append(make([]byte, HeaderSpace, HeaderSpace+len(payload)), payload...)
	return buf[putHeader(buf, op, len(payload), client):]
}

// mask applies a masking key to b, which starts at offset in its frame. Our own
// clients send a key of zero, which costs them and us nothing.
func mask(b []byte, key [4]byte, offset int) {
	if key == [4]byte{} {
		return
	}
	var k [8]byte
	for i := range k {
		k[i] = key[(offset+i)&3]
	}
	k64 := binary.LittleEndian.Uint64(k[:])
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k64)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= k[i]
	}
}
