package gridnode

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/actorgrid/actorgrid/gridnode/internal/buffer"
)

// Recycle gives back a message that this package has handed out, for a message to
// come: a response, a message of a stream, the request or payload of a handler that
// does not return it. It is never needed. Where messages are large or come often it
// saves the garbage collector's work, which is half of the cost of a message of 64 KiB
// in a process with a small heap. After it nobody may use msg, or a part of it, any
// more; recycling twice is such a use.
func Recycle(msg []byte) { buffer.Free(msg) }

// RegisterSingleLending is RegisterSingle for a handler that does not keep req, or a
// part of it, beyond its return: the bytes are lent to it until then and used again
// once the response, which may lie in them, has been sent. So they are not the
// handler's to Recycle. It saves the allocation of each request.
func (m *Manager) RegisterSingleLending(id HandlerID, h SingleHandler, subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	return m.registerSingle(id, &handler{single: h, lends: true}, subroute)
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
	return buffer.Clone(b)
}

// handsOut reports whether what to returns is this package's to take back: what another
// implementation returns may be in use elsewhere.
func handsOut(to Target) bool {
	switch to.(type) {
	case *Connection, *Subroute:
		return true
	}
	return false
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
