package test

import "github.com/tinylib/msgp/msgp"

// item is a message of a typed call, with what msgp's generator would write.
type item struct {
	Name  string
	Count int64
	Data  []byte // nil and empty are different
	Tags  map[string]string
}

func (v *item) MarshalMsg(b []byte) ([]byte, error) {
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendString(b, v.Name)
	b = msgp.AppendInt64(b, v.Count)
	if v.Data == nil {
		b = msgp.AppendNil(b)
	} else {
		b = msgp.AppendBytes(b, v.Data)
	}
	if v.Tags == nil {
		return msgp.AppendNil(b), nil
	}
	return appendMap(b, v.Tags), nil
}

func (v *item) UnmarshalMsg(b []byte) (rest []byte, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && n != 4 {
		err = msgp.ArrayError{Wanted: 4, Got: n}
	}
	if err != nil {
		return b, err
	}
	if v.Name, b, err = msgp.ReadStringBytes(b); err != nil {
		return b, err
	}
	if v.Count, b, err = msgp.ReadInt64Bytes(b); err != nil {
		return b, err
	}
	if msgp.IsNil(b) {
		v.Data, b = nil, b[1:]
	} else if v.Data, b, err = msgp.ReadBytesBytes(b, []byte{}); err != nil {
		return b, err
	}
	if msgp.IsNil(b) {
		v.Tags = nil
		return b[1:], nil
	}
	v.Tags, b, err = readMap(b)
	return b, err
}

// dict is a map as a message; a nil one stays nil.
type dict map[string]string

func (v *dict) MarshalMsg(b []byte) ([]byte, error) {
	if *v == nil {
		return msgp.AppendNil(b), nil
	}
	return appendMap(b, *v), nil
}

func (v *dict) UnmarshalMsg(b []byte) (rest []byte, err error) {
	if msgp.IsNil(b) {
		*v = nil
		return b[1:], nil
	}
	*v, b, err = readMap(b)
	return b, err
}

// raw is bytes as a message; nil ones stay nil.
type raw []byte

func (v *raw) MarshalMsg(b []byte) ([]byte, error) {
	if *v == nil {
		return msgp.AppendNil(b), nil
	}
	return msgp.AppendBytes(b, *v), nil
}

func (v *raw) UnmarshalMsg(b []byte) (rest []byte, err error) {
	if msgp.IsNil(b) {
		*v = nil
		return b[1:], nil
	}
	*v, b, err = msgp.ReadBytesBytes(b, []byte{})
	return b, err
}

func appendMap(b []byte, m map[string]string) []byte {
	b = msgp.AppendMapHeader(b, uint32(len(m)))
	for k, v := range m {
		b = msgp.AppendString(msgp.AppendString(b, k), v)
	}
	return b
}

func readMap(b []byte) (m map[string]string, rest []byte, err error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return nil, b, err
	}
	m = make(map[string]string)
	for range n {
		var k, v string
		if k, b, err = msgp.ReadStringBytes(b); err != nil {
			return nil, b, err
		}
		if v, b, err = msgp.ReadStringBytes(b); err != nil {
			return nil, b, err
		}
		m[k] = v
	}
	return m, b, nil
}
