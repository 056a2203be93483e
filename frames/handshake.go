package frames

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Handshake is a decoded message of the opening exchange: a hello, an accept or a
// refusal (SPEC.md section 3).
type Handshake struct {
	Op     Op
	Hello  Hello  // of OpHello and OpAccept
	Code   Code   // of OpRefuse
	Reason string // of OpRefuse
}

// AppendRefuse appends a refusal: [op, code, reason].
func AppendRefuse(b []byte, code Code, reason string) []byte {
	b = append(b, 0x93, byte(OpRefuse))
	b = msgp.AppendUint32(b, uint32(code))
	return msgp.AppendString(b, reason)
}

// DecodeHandshake decodes a whole message of the opening exchange; nothing of the
// result borrows from b. Keys that it does not know are ignored; anything else that
// is unexpected is an error that wraps ErrMalformed. What it allocates is bounded by
// the size of b, whatever lengths b claims.
func DecodeHandshake(b []byte) (Handshake, error) {
	var h Handshake
	rest, err := skip(b) // all lengths are true from here on
	if err != nil {
		return h, malformed("message", err)
	}
	if len(rest) > 0 {
		return h, fmt.Errorf("%w: %d bytes behind the message", ErrMalformed, len(rest))
	}
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return h, malformed("array", err)
	}
	op, b, err := msgp.ReadUint8Bytes(b)
	if err != nil {
		return h, malformed("op", err)
	}
	h.Op = Op(op)
	switch {
	case (h.Op == OpHello || h.Op == OpAccept) && n == 2:
		err = h.Hello.decode(b)
	case h.Op == OpRefuse && n == 3:
		err = h.decodeRefuse(b)
	default:
		return h, fmt.Errorf("%w: handshake op %d with %d fields", ErrMalformed, op, n)
	}
	if err != nil {
		return h, malformed(h.Op.String(), err)
	}
	return h, nil
}

func (h *Handshake) decodeRefuse(b []byte) error {
	code, b, err := msgp.ReadUint32Bytes(b)
	if err != nil {
		return err
	}
	h.Code = Code(code)
	h.Reason, _, err = msgp.ReadStringBytes(b)
	return err
}

func malformed(what string, err error) error {
	return fmt.Errorf("%w: %s: %v", ErrMalformed, what, err)
}
