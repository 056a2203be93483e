package gridnode_test

import "github.com/tinylib/msgp/msgp"

// Reserve is a message as msgp generates it, shortened by hand: in earnest, write the
// struct only, and "//go:generate msgp" above it.
type Reserve struct {
	Item  string
	Count int64
}

// MarshalMsg implements msgp.Marshaler.
func (m *Reserve) MarshalMsg(b []byte) ([]byte, error) {
	b = msgp.Require(b, 16+len(m.Item))
	b = msgp.AppendArrayHeader(b, 2)
	b = msgp.AppendString(b, m.Item)
	return msgp.AppendInt64(b, m.Count), nil
}

// UnmarshalMsg implements msgp.Unmarshaler.
func (m *Reserve) UnmarshalMsg(b []byte) ([]byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && n != 2 {
		err = msgp.ArrayError{Wanted: 2, Got: n}
	}
	if err != nil {
		return b, err
	}
	if m.Item, b, err = msgp.ReadStringBytes(b); err != nil {
		return b, err
	}
	m.Count, b, err = msgp.ReadInt64Bytes(b)
	return b, err
}
