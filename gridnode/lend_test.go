package gridnode_test

import (
	"bytes"
	"context"
	"errors"
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

// packView is a view by the other name that msgp has for its tag.
type packView struct {
	Data []byte `msgpack:"data,zerocopy"`
}

func (v *packView) MarshalMsg(b []byte) ([]byte, error) { return msgp.AppendBytes(b, v.Data), nil }

func (v *packView) UnmarshalMsg(b []byte) (rest []byte, err error) {
	v.Data, rest, err = msgp.ReadBytesZC(b)
	return rest, err
}

// ready has its bytes at hand and does not append them to anything, against the rules.
type ready struct{ b []byte }

func (r *ready) MarshalMsg([]byte) ([]byte, error) { return r.b, nil }

func (r *ready) UnmarshalMsg(b []byte) ([]byte, error) {
	r.b = bytes.Clone(b)
	return nil, nil
}

const (
	hView gridnode.HandlerID = 80 + iota
	hViews
	hPackView
	hReady
)

// A value that refers to the bytes that it came in keeps them: requests and responses,
// while other calls go on.
func TestZeroCopyValuesKeepTheirBytes(t *testing.T) {
	single := gridnode.NewSingle[view, view](hView)
	nested := gridnode.NewSingle[views, views](hViews)
	packed := gridnode.NewSingle[packView, packView](hPackView)
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
		_ = packed.Register(m, func(_ context.Context, v *packView) (*packView, error) { keep(v.Data); return v, nil })
		_ = nested.Register(m, func(_ context.Context, v *views) (*views, error) { keep(v.Named[""][0].Data); return v, nil })
	})
	conn := nodes[0].Connection(nodes[1].Local())
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() {
			data := fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", i))
			one, err := single.Call(t.Context(), conn, &view{Data: data})
			many, err2 := nested.Call(t.Context(), conn, &views{Named: map[string][]*view{"": {{Data: append(data, '+')}}}})
			pack, err3 := packed.Call(t.Context(), conn, &packView{Data: append(data, '-')})
			_, err4 := conn.Request(t.Context(), hEcho, bytes.Repeat([]byte("!"), 200))
			if err := errors.Join(err, err2, err3, err4); err != nil {
				t.Error(err)
				return
			}
			keep(pack.Data)
			if !bytes.Equal(one.Data, data) || string(many.Named[""][0].Data) != string(data)+"+" {
				t.Errorf("%q: %q, %q", data, one.Data, many.Named[""][0].Data)
			}
		})
	}
	calls.Wait()
	if len(kept) != 192 {
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

// A message that gives bytes of its own instead of appending them does not get them
// among the buffers that are used again, where the next batch would not fit.
func TestAMessageThatDoesNotAppendHarmsNobody(t *testing.T) {
	single := gridnode.NewSingle[ready, ready](hReady)
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		registerTyped(m)
		_ = single.Register(m, func(_ context.Context, v *ready) (*ready, error) { return v, nil })
	})
	conn := nodes[0].Connection(nodes[1].Local())
	own := []byte("own")
	for range 100 {
		got, err := single.Call(t.Context(), conn, &ready{b: own})
		if err != nil || string(got.b) != "own" {
			t.Fatal(got, err)
		}
		if _, err := typedSingle.Call(t.Context(), conn, &Reserve{Item: "something else"}); err != nil {
			t.Fatal(err)
		}
	}
	if string(own) != "own" {
		t.Errorf("its bytes are now %q", own)
	}
}
