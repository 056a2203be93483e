package test

import (
	"context"
	"errors"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// W4: every handler, single or stream, routed or not, typed or not, can tell who calls,
// from its context or one derived from it.
func TestEveryHandlerKnowsItsCaller(t *testing.T) {
	type key struct{}
	who := func(ctx context.Context) []byte {
		ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
		defer cancel()
		peer, ok := gridnode.Caller(ctx)
		if !ok {
			return []byte("nobody")
		}
		return []byte(peer)
	}
	typed := gridnode.NewSingle[raw, raw](hOwn4)
	handlers := gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
		var errs []error
		for _, route := range []string{"", "a/b"} {
			errs = append(errs,
				m.RegisterSingle(hOwn, func(ctx context.Context, _ []byte) ([]byte, error) { return who(ctx), nil }, route),
				m.RegisterMux(hOwn2, gridnode.MuxHandler{Subroute: route, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
					return st.Send(ctx, who(ctx))
				}}),
				m.RegisterStream(hOwn3, gridnode.StreamHandler{Subroute: route, InCapacity: 1, Handle: func(ctx context.Context, _ []byte, _ <-chan []byte, out chan<- []byte) error {
					out <- who(ctx)
					return nil
				}}),
				typed.Register(m, func(ctx context.Context, _ *raw) (*raw, error) {
					resp := raw(who(ctx))
					return &resp, nil
				}, route),
			)
		}
		return errors.Join(errs...)
	})
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, handlers)
		want := p.Name(p.caller)
		for _, to := range []gridnode.Target{p.conn, p.conn.Subroute("a/b"), p.conn.Subroute("a").Subroute("b")} {
			if got, err := to.Request(t.Context(), hOwn, nil); err != nil || string(got) != want {
				t.Errorf("single: %q, %v", got, err)
			}
			for _, h := range []gridnode.HandlerID{hOwn2, hOwn3} {
				if got, err := open(t, to, h, nil).Recv(t.Context()); err != nil || string(got) != want {
					t.Errorf("stream %d: %q, %v", h, got, err)
				}
			}
			if got, err := typed.Call(t.Context(), to, nil); err != nil || string(*got) != want {
				t.Errorf("typed: %v, %v", got, err)
			}
		}
		if peer, ok := gridnode.Caller(t.Context()); ok {
			t.Errorf("outside of a handler the caller is %q", peer)
		}
	})
}
