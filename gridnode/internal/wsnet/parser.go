package wsnet

import "github.com/actorgrid/actorgrid/gridnode/internal/buffer"

// What a message that comes in parts gets, in bytes, if it is not larger. Between the two
// there are so many sizes that few would find a buffer of theirs before the garbage
// collector does.
const (
	minMessage = 4 << 10
	midMessage = 64 << 10
)

// messageRoom returns what to get for a message of n bytes in parts.
func messageRoom(n int) int {
	switch {
	case n <= minMessage:
		return minMessage
	case n <= midMessage:
		return midMessage
	}
	return n
}

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
	inPlace   bool   // the next data is in message already
}

// minInPlace is the rest of a frame, in bytes, from which on it is read in place.
const minInPlace = 32 << 10

// sink is where a parser puts what it finds. An error ends the parsing.
type sink interface {
	// message takes a message, which is borrowed.
	message(msg []byte) error
	// control takes a control frame; payload is borrowed.
	control(op byte, payload []byte) error
}

// feed parses data, which it may change in place.
func (p *parser) feed(data []byte, to sink) error {
	for len(data) > 0 {
		if p.inPlace {
			return p.fill(len(data), to)
		}
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
		if (h.fin && h.op != opContinuation) && h.length <= uint64(len(data)) {
			n := int(h.length)
			if err := p.whole(h, data[:n:n], to); err != nil {
				return err
			}
			data = data[n:]
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

// need returns how many bytes feed must get at least to come to the end of a header
// or a frame: given no more than that, it stops between two frames.
func (p *parser) need() int {
	switch {
	case p.inFrame:
		return p.remaining
	case p.headLen < 2:
		return 2 - p.headLen
	default:
		return headerSize(p.head[1]) - p.headLen
	}
}

// between reports whether the parser is between two messages.
func (p *parser) between() bool { return !p.inFrame && !p.inMessage && p.headLen == 0 }

// whole delivers a frame that came in one piece, and is a message or control frame
// on its own, without a copy.
func (p *parser) whole(h header, payload []byte, to sink) error {
	if h.masked {
		mask(payload, h.key, 0)
	}
	if h.control() {
		return to.control(h.op, payload)
	}
	return to.message(payload)
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
		return violation(codeProtocol, "frame of a client without a mask")
	case h.masked != p.masked:
		return violation(codeProtocol, "masked frame of a server")
	case h.control() && (!h.fin || h.length > maxControl):
		return violation(codeProtocol, "control frame that is fragmented or longer than %d bytes", maxControl)
	case h.control():
		return nil
	case h.op == opText:
		return violation(codeUnsupported, "text message")
	case h.op == opContinuation && !p.inMessage:
		return violation(codeProtocol, "continuation of no message")
	case h.op == opBinary && p.inMessage:
		return violation(codeProtocol, "message within the fragments of another")
	case h.length > uint64(p.max-len(p.message)):
		return violation(codeTooBig, "message exceeds %d bytes", p.max)
	}
	return nil
}

// begin prepares for a frame that does not come in one piece. A message in a single
// frame gets a buffer of its exact size, whose bytes are bounded by max.
func (p *parser) begin(h header) {
	p.inFrame, p.frame, p.remaining = true, h, int(h.length)
	if h.control() {
		p.control = make([]byte, 0, h.length)
		return
	}
	if p.message == nil {
		p.message = buffer.Get(messageRoom(int(h.length)))
	}
	p.inMessage = true
}

// payload takes what it can of the frame's payload and returns how much.
func (p *parser) payload(data []byte, to sink) (int, error) {
	n := min(len(data), p.remaining)
	chunk := data[:n]
	if p.frame.masked {
		mask(chunk, p.frame.key, int(p.frame.length)-p.remaining)
	}
	if p.frame.control() {
		p.control = append(p.control, chunk...)
	} else {
		p.message = append(p.message, chunk...)
	}
	if p.remaining -= n; p.remaining > 0 {
		return n, nil
	}
	return n, p.end(to)
}

// space returns where the next bytes may be read to directly, instead of into a
// buffer: the rest of a large frame. What was read must then be given to feed, and it
// alone. It returns nil where that is not worth it.
func (p *parser) space() []byte {
	if !p.inFrame || p.frame.control() || p.remaining < minInPlace || cap(p.message)-len(p.message) < p.remaining {
		return nil
	}
	p.inPlace = true
	return p.message[len(p.message) : len(p.message)+p.remaining]
}

// fill is payload for n bytes that were read into space.
func (p *parser) fill(n int, to sink) error {
	p.inPlace = false
	end := len(p.message) + n
	if p.frame.masked {
		mask(p.message[len(p.message):end], p.frame.key, int(p.frame.length)-p.remaining)
	}
	p.message = p.message[:end]
	if p.remaining -= n; p.remaining > 0 {
		return nil
	}
	return p.end(to)
}

// end finishes a frame, and the message if it was the last one of it.
func (p *parser) end(to sink) error {
	p.inFrame = false
	if p.frame.control() {
		payload := p.control
		p.control = nil
		return to.control(p.frame.op, payload)
	}
	if !p.frame.fin {
		return nil
	}
	msg := p.message
	p.message, p.inMessage = nil, false
	err := to.message(msg)
	buffer.Free(msg)
	return err
}
