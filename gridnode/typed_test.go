package gridnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	hTyped gridnode.HandlerID = 50 + iota
	hTypedNil
	hTypedStream
)

var (
	typedSingle = gridnode.NewSingle[Reserve, Reserve](hTyped)
	typedNil    = gridnode.NewSingle[Reserve, Reserve](hTypedNil)
	typedStream = gridnode.NewStream[Reserve, Reserve, Reserve](hTypedStream)
)

func registerTyped(m *gridnode.Manager) {
	double := func(ctx context.Context, req *Reserve) (*Reserve, error) {
		if req.Count < 0 {
			return nil, fmt.Errorf("%s: %w", req.Item, gridnode.ErrOverloaded)
		}
		return &Reserve{Item: req.Item, Count: 2 * req.Count}, nil
	}
	isNil := func(ctx context.Context, req *Reserve) (*Reserve, error) {
		if req == nil {
			return &Reserve{Item: "was nil"}, nil
		}
		return nil, nil
	}
	add := gridnode.TypedHandler[Reserve, Reserve, Reserve, *Reserve, *Reserve, *Reserve]{
		InCapacity: 4, OutCapacity: 4, Subroute: "disk1/a",
		Handle: func(ctx context.Context, payload *Reserve, st *gridnode.TypedServer[Reserve, Reserve, *Reserve, *Reserve]) error {
			for {
				v, err := st.Recv(ctx)
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				if err := st.Send(ctx, &Reserve{Item: payload.Item + v.Item, Count: payload.Count + v.Count}); err != nil {
					return err
				}
			}
		},
	}
	err := errors.Join(typedSingle.Register(m, double), typedSingle.Register(m, double, "shop", "a"), typedNil.Register(m, isNil), typedStream.Register(m, add))
	if err != nil {
		panic(err)
	}
}

func TestTypedSinglesKeepEveryField(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	conn := nodes[0].Connection(nodes[1].Local())
	for _, to := range []gridnode.Target{conn, conn.Subroute("shop").Subroute("a"), nodes[0].Connection(nodes[0].Local())} {
		req := &Reserve{Item: "chair", Count: 21}
		resp, err := typedSingle.Call(context.Background(), to, req)
		if err != nil || *resp != (Reserve{"chair", 42}) || *req != (Reserve{"chair", 21}) {
			t.Errorf("%+v, %v", resp, err)
		}
		resp, err = typedSingle.Call(context.Background(), to, &Reserve{"table", -1})
		if resp != nil || !errors.Is(err, gridnode.ErrOverloaded) || err.Error() != "remote: table: overloaded" {
			t.Errorf("%+v, %v", resp, err)
		}
	}
	if _, err := typedSingle.Call(context.Background(), conn.Subroute("elsewhere"), &Reserve{}); !errors.Is(err, gridnode.ErrUnknownHandler) {
		t.Error(err)
	}
}

func TestTypedNilStaysNilAndIsNotTheZeroValue(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	conn := nodes[1].Connection(nodes[0].Local())
	if resp, err := typedNil.Call(context.Background(), conn, nil); err != nil || resp == nil || resp.Item != "was nil" {
		t.Errorf("%+v, %v", resp, err)
	}
	if resp, err := typedNil.Call(context.Background(), conn, &Reserve{}); err != nil || resp != nil {
		t.Errorf("%+v, %v", resp, err)
	}
}

// empty is a value that takes no bytes.
type empty struct{}

func (*empty) MarshalMsg(b []byte) ([]byte, error)   { return b, nil }
func (*empty) UnmarshalMsg(b []byte) ([]byte, error) { return b, nil }

func TestATypedValueOfNoBytesIsNotNil(t *testing.T) {
	single := gridnode.NewSingle[empty, empty](hTyped)
	stream := gridnode.NewStream[empty, empty, empty](hTypedStream)
	nodes := grid(t, 2, func(m *gridnode.Manager) {
		_ = single.Register(m, func(context.Context, *empty) (*empty, error) { return &empty{}, nil })
		_ = stream.Register(m, gridnode.TypedHandler[empty, empty, empty, *empty, *empty, *empty]{
			Handle: func(ctx context.Context, payload *empty, st *gridnode.TypedServer[empty, empty, *empty, *empty]) error {
				return st.Send(ctx, payload)
			},
		})
	})
	conn := nodes[0].Connection(nodes[1].Local())
	for _, req := range []*empty{nil, {}} {
		if resp, err := single.Call(t.Context(), conn, req); resp == nil || err != nil {
			t.Errorf("the response to %v is %v, %v", req, resp, err)
		}
		st, err := stream.Call(t.Context(), conn, req)
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := st.Recv(t.Context()); (payload == nil) != (req == nil) || err != nil {
			t.Errorf("the payload %v came as %v, %v", req, payload, err)
		}
		if _, err := st.Recv(t.Context()); err != io.EOF {
			t.Error(err)
		}
	}
}

func TestTypedCallsNeverSeeEachOthersData(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	var callers sync.WaitGroup
	for caller := range 16 {
		conn := nodes[caller%2].Connection(nodes[1-caller%2].Local())
		callers.Go(func() {
			for i := range 200 {
				want := Reserve{Item: fmt.Sprintf("item %d of caller %d", i, caller), Count: int64(1000*caller + i)}
				got, err := typedSingle.Call(context.Background(), conn, &want)
				if err != nil || got.Item != want.Item || got.Count != 2*want.Count {
					t.Errorf("%+v came back as %+v, %v", want, got, err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func TestTypedBytesThatAreNoValueAreAnError(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	conn := nodes[0].Connection(nodes[1].Local())
	whole, _ := (&Reserve{"chair", 1}).MarshalMsg(nil)
	for name, b := range map[string][]byte{
		"empty":      {},
		"truncated":  whole[:len(whole)-1],
		"other type": msgp.AppendString(nil, "chair"),
		"trailing":   append(whole[:len(whole):len(whole)], 0),
	} {
		if _, err := conn.Request(context.Background(), hTyped, b); !errors.Is(err, gridnode.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if resp, err := typedSingle.Call(context.Background(), conn, &Reserve{"chair", 1}); err != nil || resp.Count != 2 {
		t.Errorf("the connection serves no more: %v", err)
	}
}

func TestTypedStreamCombinesPayloadAndMessagesInOrder(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	ctx := context.Background()
	to := nodes[0].Connection(nodes[1].Local()).Subroute("disk1").Subroute("a")
	st, err := typedStream.Call(ctx, to, &Reserve{Item: "p", Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range 10 {
			if err := st.Send(ctx, &Reserve{Item: fmt.Sprint(i), Count: int64(i)}); err != nil {
				t.Error(err)
			}
		}
		if err := st.CloseSend(); err != nil {
			t.Error(err)
		}
	})
	n := 0
	err = st.Results(ctx, func(v *Reserve) error {
		if v.Item != fmt.Sprintf("p%d", n) || v.Count != int64(100+n) {
			t.Errorf("response %d is %+v", n, v)
		}
		n++
		return nil
	})
	sending.Wait()
	if err != nil || n != 10 {
		t.Errorf("%d responses, %v", n, err)
	}
}

func TestAnErrorOfTheTypedResultsCallbackEndsTheStream(t *testing.T) {
	nodes := grid(t, 2, registerTyped)
	ctx := context.Background()
	st, err := typedStream.Call(ctx, nodes[0].Connection(nodes[1].Local()).Subroute("disk1/a"), &Reserve{})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Send(ctx, &Reserve{}); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := st.Results(ctx, func(*Reserve) error { return enough }); err != enough {
		t.Error(err)
	}
	if _, err := st.Recv(ctx); err != enough {
		t.Error(err)
	}
	if err := st.Send(ctx, &Reserve{}); err != enough {
		t.Error(err)
	}
}

func TestATypedStreamWithoutAFunctionIsRefused(t *testing.T) {
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if typedStream.Register(m, gridnode.TypedHandler[Reserve, Reserve, Reserve, *Reserve, *Reserve, *Reserve]{}) == nil {
		t.Error("registered")
	}
}
