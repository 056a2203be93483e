package frames

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Kind tells the two kinds of handlers apart.
type Kind uint8

// The kinds of handlers.
const (
	KindSingle Kind = 1
	KindStream Kind = 2
)

func (k Kind) String() string {
	switch k {
	case KindSingle:
		return "single"
	case KindStream:
		return "stream"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// HandlerInfo announces one handler (SPEC.md section 3.3). Its index in the table is
// its name on the wire.
type HandlerInfo struct {
	ID      uint16
	Kind    Kind
	In, Out uint32 // capacities of a stream handler, in messages
	Route   string
}

// maxHandlers bounds the table: there are no more handler IDs than that.
const maxHandlers = 1<<16 - 1

func appendHandlers(b []byte, table []HandlerInfo) []byte {
	b = msgp.AppendArrayHeader(b, uint32(len(table)))
	for i := range table {
		r := &table[i]
		b = msgp.AppendArrayHeader(b, 5)
		b = msgp.AppendUint16(b, r.ID)
		b = msgp.AppendUint8(b, uint8(r.Kind))
		b = msgp.AppendUint32(b, r.In)
		b = msgp.AppendUint32(b, r.Out)
		b = msgp.AppendString(b, r.Route)
	}
	return b
}

// decodeHandlers grows the table as entries come, so that a length alone costs
// nothing.
func decodeHandlers(b []byte) (table []HandlerInfo, rest []byte, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, b, err
	}
	if n > maxHandlers {
		return nil, b, fmt.Errorf("%d handlers", n)
	}
	for range n {
		var r HandlerInfo
		if b, err = r.decode(b); err != nil {
			return nil, b, err
		}
		table = append(table, r)
	}
	return table, b, nil
}

func (r *HandlerInfo) decode(b []byte) (rest []byte, err error) {
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
