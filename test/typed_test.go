package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

var (
	typedItem = gridnode.NewSingle[item, item](hOwn)
	typedDict = gridnode.NewSingle[dict, dict](hOwn2)
	typedRaw  = gridnode.NewSingle[raw, raw](hOwn3)
	typedPlus = gridnode.NewStream[item, item, item](hOwn4)
)

var errEmptyShelf = errors.New("empty shelf")

// typed registers the handlers of the typed calls; the stream also under a route.
func typed() gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
		plus := plusHandler{InCapacity: 2, OutCapacity: 2, Handle: plus}
		routed := plus
		routed.Subroute = "disk1/meta"
		return errors.Join(
			typedItem.Register(m, func(_ context.Context, req *item) (*item, error) {
				if req != nil && req.Count < 0 {
					return req, errEmptyShelf // the response must not travel beside the error
				}
				return req, nil
			}),
			typedDict.Register(m, func(_ context.Context, req *dict) (*dict, error) { return req, nil }),
			typedRaw.Register(m, func(_ context.Context, req *raw) (*raw, error) { return req, nil }),
			typedPlus.Register(m, plus),
			typedPlus.Register(m, routed),
		)
	})
}

// The instances of the typed stream above: a user never writes these out, but a test
// that passes its parts to functions of its own must.
type (
	plusHandler = gridnode.TypedHandler[item, item, item, *item, *item, *item]
	plusServer  = gridnode.TypedServer[item, item, *item, *item]
)

// plus answers each item with the sum of payload and item.
func plus(ctx context.Context, payload *item, st *plusServer) error {
	for {
		v, err := st.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(ctx, &item{Name: payload.Name + v.Name, Count: payload.Count + v.Count}); err != nil {
			return err
		}
	}
}

// E5, E17: every field survives, nil apart from empty, a nil request and response too.
func TestTypedSinglesKeepEveryField(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, typed())
		for _, want := range []*item{
			nil, {}, {Name: "chair", Count: -0, Data: []byte{}, Tags: map[string]string{}},
			{Name: strings.Repeat("n", 100_000), Count: 1 << 62, Data: []byte{0, 255}, Tags: map[string]string{"": "a", "b": ""}},
		} {
			got, err := typedItem.Call(t.Context(), p.conn, want)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v came back as %+v, %v", want, got, err)
			}
		}
		got, err := typedItem.Call(t.Context(), p.conn, &item{Count: -1})
		var e *gridnode.Error
		if got != nil || !errors.As(err, &e) || e.Message != errEmptyShelf.Error() || !e.Remote {
			t.Errorf("a failing handler gave %+v, %v", got, err)
		}
	})
}

// E6, E17: maps and bytes, nil ones and empty ones.
func TestTypedMapsAndBytesKeepNil(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, typed())
		for _, want := range []dict{nil, {}, {"a": "b", "": ""}} {
			got, err := typedDict.Call(t.Context(), p.conn, &want)
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("%#v came back as %#v, %v", want, got, err)
			}
		}
		for _, want := range []raw{nil, {}, {0}, raw(strings.Repeat("x", 5000))} {
			got, err := typedRaw.Call(t.Context(), p.conn, &want)
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("%d bytes, nil %v, came back as %v, %v", len(want), want == nil, got, err)
			}
		}
	})
}

// E13: a two-way stream with an initial payload: ten requests, ten responses which
// combine payload and request; the same under a route of two parts.
func TestTypedStreamsCombinePayloadAndRequests(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, typed())
		for _, to := range []gridnode.Target{p.conn, p.conn.Subroute("disk1").Subroute("meta"), p.conn.Subroute("disk1/meta")} {
			st, err := typedPlus.Call(t.Context(), to, &item{Name: "p", Count: 100})
			if err != nil {
				t.Fatal(err)
			}
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range 10 {
					if err := st.Send(t.Context(), &item{Name: fmt.Sprint(i), Count: int64(i)}); err != nil {
						t.Errorf("send %d: %v", i, err)
					}
				}
				if err := st.CloseSend(); err != nil {
					t.Error(err)
				}
			})
			got := 0
			err = st.Results(t.Context(), func(v *item) error {
				if v.Name != fmt.Sprint("p", got) || v.Count != int64(100+got) {
					t.Errorf("response %d is %+v", got, v)
				}
				got++
				return nil
			})
			sending.Wait()
			if err != nil || got != 10 {
				t.Errorf("%d responses of 10, %v", got, err)
			}
		}
		_, err := typedPlus.Call(t.Context(), p.conn.Subroute("disk1"), &item{})
		wantIs(t, err, gridnode.ErrUnknownHandler)
	})
}

// A typed stream whose caller gives up ends at both sides with the caller's error.
func TestAnErrorOfTheTypedCallbackCancelsTheStream(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, typed())
		st, err := typedPlus.Call(t.Context(), p.conn, &item{})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Send(t.Context(), &item{}); err != nil {
			t.Fatal(err)
		}
		enough := errors.New("enough")
		wantIs(t, st.Results(t.Context(), func(*item) error { return enough }), enough)
		_, err = st.Recv(t.Context())
		wantIs(t, err, enough)
		wantIs(t, st.Send(t.Context(), &item{}), enough)
	})
}

// 24-02-02 ce0cb913b, 24-02-21 92180bc79: concurrent calls with distinct contents never
// see each other's data, though encoders and slots are reused.
func TestTypedCallsNeverSeeEachOthersData(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, typed())
		var callers sync.WaitGroup
		for caller := range 16 {
			callers.Go(func() {
				for i := range 200 / underRace {
					want := item{Name: fmt.Sprint(caller, " ", i), Count: int64(i)}
					if i%3 == 0 {
						want.Tags = map[string]string{fmt.Sprint(caller): fmt.Sprint(i)}
					}
					if i%5 == 0 {
						want.Data = make([]byte, i*50)
					}
					got, err := typedItem.Call(t.Context(), p.conn, &want)
					if err != nil || !reflect.DeepEqual(*got, want) {
						t.Errorf("%+v came back as %+v, %v", want, got, err)
						return
					}
				}
			})
		}
		callers.Wait()
	})
}
