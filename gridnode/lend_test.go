package gridnode_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/gridnode"
)

// view is a message whose bytes are those that it was decoded from, as msgp generates
// it for the tag.
type view struct {
	Data []byte `msg:"data,zerocopy"`
}

func (v *view) MarshalMsg(b []byte) ([]byte, error) { return msgp.AppendBytes(b, v.Data), nil }

func (v *view) UnmarshalMsg(b []byte) (rest []byte, err error) {
	v.Data, rest, err = msgp.ReadBytesZC(b)
	return rest, err
}

// Views holds views in what msgp looks through for the tag, too.
type views struct{ Named map[string][]*view }

func (v *views) MarshalMsg(b []byte) ([]byte, error) { return v.Named[""][0].MarshalMsg(b) }

func (v *views) UnmarshalMsg(b []byte) ([]byte, error) {
	one := &view{}
	v.Named = map[string][]*view{"": {one}}
	return one.UnmarshalMsg(b)
}

const (
	hView gridnode.HandlerID = 80 + iota
	hViews
)

// A value that refers to the bytes that it came in keeps them: requests and responses,
// while other calls go on.
func TestZeroCopyValuesKeepTheirBytes(t *testing.T) {
	single := gridnode.NewSingle[view, view](hView)
	nested := gridnode.NewSingle[views, views](hViews)
	var mu sync.Mutex
	kept := make(map[string][]byte)
	keep := func(data []byte) {
		mu.Lock()
		defer mu.Unlock()
		kept[string(data)] = data
	}
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		registerAll(m)
		_ = single.Register(m, func(_ context.Context, v *view) (*view, error) { keep(v.Data); return v, nil })
		_ = nested.Register(m, func(_ context.Context, v *views) (*views, error) { keep(v.Named[""][0].Data); return v, nil })
	})
	conn := nodes[0].Connection(nodes[1].Local())
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() {
			data := fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", i))
			one, err := single.Call(t.Context(), conn, &view{Data: data})
			many, err2 := nested.Call(t.Context(), conn, &views{Named: map[string][]*view{"": {{Data: append(data, '+')}}}})
			_, err3 := conn.Request(t.Context(), hEcho, bytes.Repeat([]byte("!"), 200))
			if err != nil || err2 != nil || err3 != nil {
				t.Error(err, err2, err3)
				return
			}
			if !bytes.Equal(one.Data, data) || string(many.Named[""][0].Data) != string(data)+"+" {
				t.Errorf("%q: %q, %q", data, one.Data, many.Named[""][0].Data)
			}
		})
	}
	calls.Wait()
	if len(kept) != 128 {
		t.Errorf("%d requests", len(kept))
	}
	for was, data := range kept {
		if string(data) != was {
			t.Errorf("a request that was kept changed from %q to %q", was, data)
		}
	}
}

// Values that are copied out of their bytes leave these to other calls; none of them
// sees another's.
func TestTypedCallsDoNotMix(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	conn := nodes[0].Connection(nodes[1].Local())
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() {
			for n := range 20 {
				want := Reserve{Item: strings.Repeat(string(rune('a'+i%26)), 1+100*i*n%5000), Count: int64(i)}
				got, err := typedSingle.Call(t.Context(), conn, &want)
				if err != nil || got.Item != want.Item {
					t.Errorf("%d, %d: %v, %v", i, n, got, err)
					return
				}
			}
		})
	}
	calls.Wait()
}
