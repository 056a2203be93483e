package frames

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Version is the version of the protocol that this package speaks.
const Version = 1

// FeatureChecksum in Hello.Features: batches carry a checksum.
const FeatureChecksum uint64 = 1 << 0

// Kind tells the two kinds of handlers apart.
type Kind uint8

// The kinds of handlers.
const (
	KindSingle Kind = 1
	KindStream Kind = 2
)

func (k Kind) String() string {
	if k == KindSingle {
		return "single"
	}
	return "stream"
}

// HandlerInfo announces one handler. Its index in the table is its name on the
// wire.
type HandlerInfo struct {
	ID      uint16
	Kind    Kind
	In, Out uint32 // capacities of a stream handler, in messages
	Route   string
}

// Hello is what a node says of itself when it connects or accepts.
type Hello struct {
	Version    uint32
	Local      string   // the sender's name
	Remote     string   // whom it means to talk to
	Instance   [16]byte // random, one for each life of the process
	Token      string
	Features   uint64
	MaxMessage uint64 // bytes of the largest payload it takes
	Window     uint64 // bytes of large payloads it takes before it acknowledges
	MaxMuxes   uint32 // muxes that it serves at once
	Handlers   []HandlerInfo
}

// Handshake is a decoded hello, accept or refusal.
type Handshake struct {
	Op     Op
	Hello  Hello  // of OpHello and OpAccept
	Code   Code   // of OpRefuse
	Reason string // of OpRefuse
}

// AppendHello appends h as OpHello or OpAccept: [op, map].
func AppendHello(b []byte, op Op, h *Hello) []byte {
	b = append(b, 0x92, byte(op))
	b = msgp.AppendMapHeader(b, 10)
	b = msgp.AppendUint32(msgp.AppendString(b, "version"), h.Version)
	b = msgp.AppendString(msgp.AppendString(b, "local"), h.Local)
	b = msgp.AppendString(msgp.AppendString(b, "remote"), h.Remote)
	b = msgp.AppendBytes(msgp.AppendString(b, "instance"), h.Instance[:])
	b = msgp.AppendString(msgp.AppendString(b, "token"), h.Token)
	b = msgp.AppendUint64(msgp.AppendString(b, "features"), h.Features)
	b = msgp.AppendUint64(msgp.AppendString(b, "maxMessage"), h.MaxMessage)
	b = msgp.AppendUint64(msgp.AppendString(b, "window"), h.Window)
	b = msgp.AppendUint32(msgp.AppendString(b, "maxMuxes"), h.MaxMuxes)
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "handlers"), uint32(len(h.Handlers)))
	for i := range h.Handlers {
		r := &h.Handlers[i]
		b = msgp.AppendArrayHeader(b, 5)
		b = msgp.AppendUint16(b, r.ID)
		b = msgp.AppendUint8(b, uint8(r.Kind))
		b = msgp.AppendUint32(b, r.In)
		b = msgp.AppendUint32(b, r.Out)
		b = msgp.AppendString(b, r.Route)
	}
	return b
}

// AppendRefuse appends a refusal: [op, code, reason].
func AppendRefuse(b []byte, code Code, reason string) []byte {
	b = append(b, 0x93, byte(OpRefuse))
	b = msgp.AppendUint32(b, uint32(code))
	return msgp.AppendString(b, reason)
}

// DecodeHandshake decodes a whole message of the opening exchange. Keys that it
// does not know are ignored; anything else that is unexpected is an error.
func DecodeHandshake(b []byte) (Handshake, error) {
	var h Handshake
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
		b, err = h.Hello.decode(b)
	case h.Op == OpRefuse && n == 3:
		var code uint32
		if code, b, err = msgp.ReadUint32Bytes(b); err == nil {
			h.Code = Code(code)
			h.Reason, b, err = msgp.ReadStringBytes(b)
		}
	default:
		return h, fmt.Errorf("%w: handshake op %d with %d fields", ErrMalformed, op, n)
	}
	if err != nil {
		return h, malformed(h.Op.String(), err)
	}
	if len(b) > 0 {
		return h, fmt.Errorf("%w: %d bytes behind the %v", ErrMalformed, len(b), h.Op)
	}
	return h, nil
}

func malformed(what string, err error) error {
	return fmt.Errorf("%w: %s: %v", ErrMalformed, what, err)
}

func (h *Hello) decode(b []byte) ([]byte, error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		var key []byte
		if key, b, err = msgp.ReadMapKeyZC(b); err == nil {
			b, err = h.decodeField(string(key), b)
		}
	}
	return b, err
}

func (h *Hello) decodeField(key string, b []byte) (rest []byte, err error) {
	switch key {
	case "version":
		h.Version, rest, err = msgp.ReadUint32Bytes(b)
	case "local":
		h.Local, rest, err = msgp.ReadStringBytes(b)
	case "remote":
		h.Remote, rest, err = msgp.ReadStringBytes(b)
	case "instance":
		rest, err = msgp.ReadExactBytes(b, h.Instance[:])
	case "token":
		h.Token, rest, err = msgp.ReadStringBytes(b)
	case "features":
		h.Features, rest, err = msgp.ReadUint64Bytes(b)
	case "maxMessage":
		h.MaxMessage, rest, err = msgp.ReadUint64Bytes(b)
	case "window":
		h.Window, rest, err = msgp.ReadUint64Bytes(b)
	case "maxMuxes":
		h.MaxMuxes, rest, err = msgp.ReadUint32Bytes(b)
	case "handlers":
		rest, err = h.decodeHandlers(b)
	default:
		rest, err = msgp.Skip(b)
	}
	return rest, err
}

// decodeHandlers grows the table as entries come, so that a length alone costs
// nothing.
func (h *Hello) decodeHandlers(b []byte) ([]byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if n > 1<<16-1 {
		return b, fmt.Errorf("%d handlers", n)
	}
	h.Handlers = nil
	for range n {
		var r HandlerInfo
		if b, err = r.decode(b); err != nil {
			return b, err
		}
		h.Handlers = append(h.Handlers, r)
	}
	return b, nil
}

func (r *HandlerInfo) decode(b []byte) ([]byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if n != 5 {
		return b, fmt.Errorf("handler of %d fields", n)
	}
	if r.ID, b, err = msgp.ReadUint16Bytes(b); err != nil {
		return b, err
	}
	var kind uint8
	if kind, b, err = msgp.ReadUint8Bytes(b); err != nil {
		return b, err
	}
	if r.Kind = Kind(kind); r.Kind != KindSingle && r.Kind != KindStream {
		return b, fmt.Errorf("handler of kind %d", kind)
	}
	if r.In, b, err = msgp.ReadUint32Bytes(b); err != nil {
		return b, err
	}
	if r.Out, b, err = msgp.ReadUint32Bytes(b); err != nil {
		return b, err
	}
	r.Route, b, err = msgp.ReadStringBytes(b)
	return b, err
}
