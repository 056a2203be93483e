package frames

import "github.com/tinylib/msgp/msgp"

// Version is the version of the protocol that this package speaks.
const Version = 1

// FeatureChecksum in Hello.Features: batches carry a checksum (SPEC.md section 4.1).
const FeatureChecksum uint64 = 1 << 0

// Hello is what a node says of itself when it connects or accepts (SPEC.md section
// 3.2).
type Hello struct {
	Version    uint32
	Local      string   // the sender's name
	Remote     string   // whom it means to talk to
	Instance   [16]byte // random, one for each life of the process
	Token      string
	Features   uint64
	MaxMessage uint64 // bytes of the largest payload it takes
	Window     uint64 // bytes of large payloads it takes before it acknowledges; section 11.2
	MaxMuxes   uint32 // muxes that it serves at once
	Handlers   []HandlerInfo
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
	return appendHandlers(msgp.AppendString(b, "handlers"), h.Handlers)
}

// decode sets what the map b has; a key that comes twice counts the second time.
func (h *Hello) decode(b []byte) error {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		var key []byte
		if key, b, err = msgp.ReadMapKeyZC(b); err == nil {
			b, err = h.decodeField(string(key), b)
		}
	}
	return err
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
		h.Handlers, rest, err = decodeHandlers(b)
	default:
		rest, err = skip(b)
	}
	return rest, err
}
