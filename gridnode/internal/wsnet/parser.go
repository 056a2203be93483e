package wsnet

import (
	"encoding/binary"
)

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

// parser cuts a stream of bytes into messages. It copies only what does not come in
// one piece, once, and holds no buffer while nothing is incomplete.
type parser struct {
	masked bool // the peer must mask (it is the client), or must not
	max    int  // bytes of the largest message

	head    [HeaderSpace]byte // of a header that has come in part
	headLen int

	inFrame   bool
	frame     header
	remaining int // payload bytes of the frame to come
	control   []byte
	message   []byte // of a message that has come in part
	inMessage bool   // FIN is still to come
}

// header is a frame header.
type header struct {
	fin    bool
	op     byte
	masked bool
	key    [4]byte
	length int
	size   int // of the header itself
}

// sink is where a parser puts what it finds.
type sink interface {
	message(msg []byte, owned bool) error
	control(op byte, payload []byte) error
}

// feed parses data, which it may change in place.
func (p *parser) feed(data []byte, to sink) error {
	for len(data) > 0 {
		if p.inFrame {
			n, err := p.payload(data, to)
			if err != nil {
				return err
			}
			data = data[n:]
			continue
		}
		h, n, err := p.header(data)
		if err != nil {
			return err
		}
		data = data[n:]
		if h.size == 0 {
			return nil // incomplete: all of data is kept
		}
		if h.op == opBinary && h.fin && h.length <= len(data) {
			if err := p.whole(h, data[:h.length], to); err != nil {
				return err
			}
			data = data[h.length:]
			continue
		}
		p.begin(h)
		if h.length == 0 {
			if err := p.end(to); err != nil {
				return err
			}
		}
	}
	return nil
}

// whole delivers a message that came in one piece, without a copy.
func (p *parser) whole(h header, payload []byte, to sink) error {
	if h.masked {
		mask(payload, h.key, 0)
	}
	return to.message(payload, false)
}

// header takes the next header from data, and from what was kept of it before. It
// returns how many bytes it took; a size of 0 means that the header is incomplete.
func (p *parser) header(data []byte) (header, int, error) {
	if p.headLen == 0 {
		h, err := parseHeader(data)
		if err != nil || h.size > 0 {
			return h, h.size, p.check(h, err)
		}
		p.headLen = copy(p.head[:], data)
		return header{}, p.headLen, nil
	}
	before := p.headLen
	n := copy(p.head[before:], data)
	h, err := parseHeader(p.head[:before+n])
	if err != nil || h.size > 0 {
		p.headLen = 0
		return h, h.size - before, p.check(h, err)
	}
	p.headLen += n
	return header{}, n, nil
}

// check applies the rules of RFC 6455 sections 5.1 to 5.5 to a complete header.
func (p *parser) check(h header, err error) error {
	switch {
	case err != nil:
		return err
	case h.masked != p.masked && p.masked:
		return violation("frame of a client without a mask")
	case h.masked != p.masked:
		return violation("masked frame of a server")
	case h.op >= opClose && (!h.fin || h.length > maxControl):
		return violation("control frame that is fragmented or longer than %d bytes", maxControl)
	case h.op >= opClose:
		return nil
	case h.op == opText:
		return violation("text message")
	case h.op == opContinuation && !p.inMessage:
		return violation("continuation of no message")
	case h.op == opBinary && p.inMessage:
		return violation("message within the fragments of another")
	case h.length > p.max-len(p.message):
		return violation("message exceeds %d bytes", p.max)
	}
	return nil
}

// parseHeader decodes a header; size is 0 if b is too short for it.
func parseHeader(b []byte) (h header, err error) {
	if len(b) < 2 {
		return h, nil
	}
	if b[0]&0x70 != 0 {
		return h, violation("reserved bits set")
	}
	h.fin, h.op, h.masked = b[0]&0x80 != 0, b[0]&0x0f, b[1]&0x80 != 0
	if h.op > opBinary && h.op < opClose || h.op > opPong {
		return h, violation("opcode %d", h.op)
	}
	size, length := 2, uint64(b[1]&0x7f)
	switch length {
	case 126:
		if size += 2; len(b) < size {
			return header{}, nil
		}
		if length = uint64(binary.BigEndian.Uint16(b[2:])); length < 126 {
			return h, violation("length not in its shortest form")
		}
	case 127:
		if size += 8; len(b) < size {
			return header{}, nil
		}
		if length = binary.BigEndian.Uint64(b[2:]); length < 1<<16 || length > 1<<62 {
			return h, violation("length not in its shortest form, or above 2^62")
		}
	}
	if h.masked {
		if size += 4; len(b) < size {
			return header{}, nil
		}
		copy(h.key[:], b[size-4:])
	}
	h.size = size
	h.length = int(min(length, 1<<31-1))
	return h, nil
}

// begin prepares for a frame that does not come in one piece.
func (p *parser) begin(h header) {
	p.inFrame, p.frame, p.remaining = true, h, h.length
	if h.op >= opClose {
		p.control = make([]byte, 0, h.length)
		return
	}
	if p.message == nil {
		p.message = make([]byte, 0, h.length)
	}
	p.inMessage = true
}

// payload takes what it can of the frame's payload and returns how much.
func (p *parser) payload(data []byte, to sink) (int, error) {
	n := min(len(data), p.remaining)
	chunk := data[:n]
	if p.frame.masked {
		mask(chunk, p.frame.key, p.frame.length-p.remaining)
	}
	if p.frame.op >= opClose {
		p.control = append(p.control, chunk...)
	} else {
		p.message = append(p.message, chunk...)
	}
	if p.remaining -= n; p.remaining > 0 {
		return n, nil
	}
	return n, p.end(to)
}

// end finishes a frame, and the message if it was the last one of it.
func (p *parser) end(to sink) error {
	p.inFrame = false
	if p.frame.op >= opClose {
		payload := p.control
		p.control = nil
		return to.control(p.frame.op, payload)
	}
	if !p.frame.fin {
		return nil
	}
	msg := p.message
	p.message, p.inMessage = nil, false
	return to.message(msg, true)
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

// putHeader writes the header of a binary message of n bytes so that it ends at
// buf[HeaderSpace], and returns where it begins. A client masks with a key of zero:
// RFC 6455 section 5.3 asks for an unpredictable one to protect proxies from
// scripts in browsers, which have no part here.
func putHeader(buf []byte, op byte, n int, client bool) int {
	start := HeaderSpace - 2
	if client {
		start -= 4
	}
	switch {
	case n > 1<<16-1:
		start -= 8
	case n > 125:
		start -= 2
	}
	b := buf[start:HeaderSpace]
	b[0] = 0x80 | op
	switch {
	case n > 1<<16-1:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
	case n > 125:
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
