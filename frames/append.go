package frames

import (
	"encoding/binary"

	"github.com/tinylib/msgp/msgp"
)

// MaxOverhead bounds what Append adds to the bytes of Payload and Text.
const MaxOverhead = 64

// Append appends the encoding of f to b, and keeps nothing of f. It allocates only if
// b has no room. f must have an op of section 5.2 that travels in batches, and only
// flags that exist.
func Append(b []byte, f *Frame) []byte {
	switch f.Op {
	case OpRequest, OpReply, OpOpen, OpData:
		return appendMessage(b, f)
	case OpCredit:
		b = append(b, 0x93, byte(f.Op))
		b = appendUint(b, f.Mux)
		return appendUint(b, f.Credit)
	case OpCloseSend:
		b = append(b, 0x92, byte(f.Op))
		return appendUint(b, f.Mux)
	case OpStatus, OpCancel:
		b = append(b, 0x94, byte(f.Op))
		b = appendUint(b, f.Mux)
	case OpPing, OpPong:
		b = append(b, 0x92, byte(f.Op))
		return appendUint(b, f.Credit)
	case OpGoaway:
		b = append(b, 0x93, byte(f.Op))
	}
	b = appendUint(b, uint64(f.Code))
	return msgp.AppendStringFromBytes(b, f.Text)
}

func appendMessage(b []byte, f *Frame) []byte {
	b = append(b, 0x90|byte(messageElements(f.Op, f.Flags)), byte(f.Op), byte(f.Flags))
	b = appendUint(b, f.Mux)
	if f.Flags&FlagCont == 0 {
		if f.Op == OpRequest || f.Op == OpOpen {
			b = appendUint(b, uint64(f.Target))
			b = appendUint(b, f.Timeout)
		}
		if f.Op == OpOpen {
			b = appendUint(b, f.Credit)
		}
		if f.Flags&FlagMore != 0 {
			b = appendUint(b, f.Size)
		}
	}
	if f.Payload == nil {
		return append(b, 0xc0)
	}
	return msgp.AppendBytes(b, f.Payload)
}

// messageElements is the number of elements of a frame that carries a message,
// which depends on its flags (SPEC.md section 6.1).
func messageElements(op Op, flags Flags) int {
	n := 4 // op, flags, mux, payload
	if flags&FlagCont != 0 {
		return n
	}
	switch op {
	case OpRequest:
		n += 2
	case OpOpen:
		n += 3
	}
	if flags&FlagMore != 0 {
		n++
	}
	return n
}

// appendUint is msgp.AppendUint64, which is not inlined: 2 ns instead of 5.
func appendUint(b []byte, v uint64) []byte {
	switch {
	case v < 128:
		return append(b, byte(v))
	case v <= 0xff:
		return append(b, 0xcc, byte(v))
	case v <= 0xffff:
		return append(b, 0xcd, byte(v>>8), byte(v))
	case v <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(b, 0xce), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcf), v)
}
