package frames

import (
	"errors"
	"fmt"
)

// What is wrong with a frame, a batch or a handshake; Decode, CheckBatch and
// DecodeHandshake return or wrap them. Each ends the session (SPEC.md section 5.4).
var (
	ErrTruncated = errors.New("frames: truncated")
	ErrMalformed = errors.New("frames: malformed")
	ErrUnknownOp = errors.New("frames: unknown op")
	ErrChecksum  = errors.New("frames: checksum mismatch")
)

// Decode decodes the first frame of b into f, all of whose fields it sets, and
// returns what follows it. f borrows from b. It never reads beyond b and never
// allocates on success; after an error f is of no use. Each frame has exactly one
// encoding, so Append would make the same bytes again.
func Decode(b []byte, f *Frame) (rest []byte, err error) {
	*f = Frame{}
	if len(b) < 2 {
		return nil, ErrTruncated
	}
	if b[0]&0xf0 != 0x90 {
		return nil, fmt.Errorf("%w: 0x%02x is not a short array", ErrMalformed, b[0])
	}
	f.Op = Op(b[1])
	d := decoder{b: b, at: 2}
	switch elements := int(b[0] & 0x0f); f.Op {
	case OpRequest, OpReply, OpOpen, OpData:
		d.message(f, elements)
	case OpCredit:
		d.expect(elements, 3)
		f.Mux = d.uint()
		f.Credit = d.uint()
	case OpCloseSend:
		d.expect(elements, 2)
		f.Mux = d.mux()
	case OpStatus, OpCancel:
		d.expect(elements, 4)
		f.Mux = d.mux()
		f.Code = Code(d.uint32())
		f.Text = d.text()
	case OpPing, OpPong:
		d.expect(elements, 2)
		f.Credit = d.uint()
	case OpGoaway:
		d.expect(elements, 3)
		f.Code = Code(d.uint32())
		f.Text = d.text()
	default:
		return nil, fmt.Errorf("%w: %d", ErrUnknownOp, b[1])
	}
	if d.err != nil {
		return nil, fmt.Errorf("%v frame: %w", f.Op, d.err)
	}
	return b[d.at:], nil
}

// message decodes the frames of SPEC.md section 6.1, whose layout depends on their
// flags.
func (d *decoder) message(f *Frame, elements int) {
	f.Flags = Flags(d.byte())
	if f.Flags&^(FlagMore|FlagCont) != 0 {
		d.fail(ErrMalformed)
	}
	d.expect(elements, messageElements(f.Op, f.Flags))
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
