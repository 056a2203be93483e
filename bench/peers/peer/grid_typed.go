package peer

import (
	"context"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/gridnode"
)

const handlerTyped gridnode.HandlerID = 2

// typedMessage has the methods that msgp generates for a struct of a number and
// bytes.
type typedMessage struct {
	ID   uint64
	Data []byte
}

// MarshalMsg is part of msgp.Marshaler.
func (m *typedMessage) MarshalMsg(b []byte) ([]byte, error) {
	o := msgp.Require(b, 24+len(m.Data))
	o = msgp.AppendMapHeader(o, 2)
	o = msgp.AppendString(o, "ID")
	o = msgp.AppendUint64(o, m.ID)
	o = msgp.AppendString(o, "Data")
	return msgp.AppendBytes(o, m.Data), nil
}

// UnmarshalMsg is part of msgp.Unmarshaler.
func (m *typedMessage) UnmarshalMsg(b []byte) ([]byte, error) {
	fields, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return b, err
	}
	for range fields {
		var key []byte
		if key, b, err = msgp.ReadMapKeyZC(b); err != nil {
			return b, err
		}
		switch string(key) {
		case "ID":
			m.ID, b, err = msgp.ReadUint64Bytes(b)
		case "Data":
			m.Data, b, err = msgp.ReadBytesBytes(b, m.Data)
		default:
			b, err = msgp.Skip(b)
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

func newTyped() *gridnode.Single[typedMessage, typedMessage, *typedMessage, *typedMessage] {
	return gridnode.NewSingle[typedMessage, typedMessage](handlerTyped)
}

func registerTyped(m *gridnode.Manager) error {
	return newTyped().Register(m, func(_ context.Context, req *typedMessage) (*typedMessage, error) { return req, nil })
}

// typedCaller calls with bytes in a struct.
func typedCaller(conn *gridnode.Connection) Call {
	typed := newTyped()
	return func(ctx context.Context, req []byte) ([]byte, error) {
		m := typedMessage{ID: 1, Data: req}
		resp, err := typed.Call(ctx, conn, &m)
		if err != nil {
			return nil, err
		}
		return resp.Data, nil
	}
}
