package gridnode

import (
	"context"
	"reflect"
	"strings"
)

// Typed singles decode what they receive at once and throw the bytes away. So those
// lie in a buffer from the pool of batches, which is lent: a typed single allocates
// its values, and nothing for the bytes, where that was three buffers of 64 to 4096
// bytes a call.

// clone copies payload into the buffer, or a new one if there is none. It keeps nil
// and empty apart.
func (b *batch) clone(payload []byte) []byte {
	if b == nil || payload == nil {
		return cloneBytes(payload)
	}
	b.b = append(b.b[:0], payload...)
	return b.b
}

// keep makes b the owner of what append has made of its bytes, if they had to move.
// What is smaller cannot be that: it is a foreign slice, which is left to its owner.
func (b *batch) keep(appended []byte) {
	if cap(appended) > cap(b.b) {
		b.b = appended
	}
}

// cloneBytes copies b and keeps nil and empty apart.
func cloneBytes(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

// borrower is a Target that can put a response into a buffer of its caller.
type borrower interface {
	requestInto(ctx context.Context, h HandlerID, req []byte, lent *batch) ([]byte, error)
}

func (c *Connection) requestInto(ctx context.Context, h HandlerID, req []byte, lent *batch) ([]byte, error) {
	return c.request(ctx, h, "", req, lent)
}

func (r *Subroute) requestInto(ctx context.Context, h HandlerID, req []byte, lent *batch) ([]byte, error) {
	return r.conn.request(ctx, h, r.route, req, lent)
}

// aliases reports whether a decoded T may refer to the bytes that it was decoded
// from: msgp's generated methods copy, but for fields with the tag zerocopy. It looks
// through all types that T is made of.
func aliases[T any]() bool { return hasZeroCopy(reflect.TypeFor[T](), make(map[reflect.Type]bool)) }

func hasZeroCopy(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return hasZeroCopy(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			// The tag has the name msg, msgpack, or what a directive of the package says.
			if strings.Contains(string(f.Tag), "zerocopy") || hasZeroCopy(f.Type, seen) {
				return true
			}
		}
	}
	return false
}
