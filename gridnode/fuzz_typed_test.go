package gridnode_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/gridnode"
)

// FuzzTypedPayload sends any bytes to a typed handler: they are a value, or a protocol
// error, and never something in between.
func FuzzTypedPayload(f *testing.F) {
	whole, err := (&Reserve{"chair", 1}).MarshalMsg(nil)
	if err != nil {
		f.Fatal(err)
	}
	for n := range len(whole) + 1 {
		f.Add(whole[:n])
		flipped := bytes.Clone(whole)
		flipped[n%len(whole)] ^= 0x80
		f.Add(flipped)
	}
	f.Add(append(whole, whole...))
	f.Add(msgp.AppendMapHeader(nil, 1<<31))
	f.Add(append(msgp.AppendMapHeader(nil, 1), bytes.Repeat([]byte{0x91}, 5000)...))
	f.Add(msgp.AppendString(msgp.AppendMapHeader(nil, 2), "item"))
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { m.Close() })
	registerTyped(m)
	if err := m.Start(); err != nil {
		f.Fatal(err)
	}
	conn := m.Connection(m.Local())
	if err := conn.WaitForConnect(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if b == nil {
			b = []byte{} // nil is a nil value
		}
		resp, err := conn.Request(t.Context(), hTyped, b)
		if err != nil {
			if !errors.Is(err, gridnode.ErrProtocol) && !errors.Is(err, gridnode.ErrOverloaded) { // the latter is the handler's
				t.Errorf("%x: %v", b, err)
			}
			return
		}
		var sent, got Reserve
		rest, err := sent.UnmarshalMsg(b)
		if err != nil || len(rest) > 0 {
			t.Errorf("%x was taken for a value: %v, %d bytes left", b, err, len(rest))
		}
		if _, err := got.UnmarshalMsg(resp); err != nil || got.Item != sent.Item || got.Count != 2*sent.Count {
			t.Errorf("%+v came back as %+v, %v", sent, got, err)
		}
	})
}
