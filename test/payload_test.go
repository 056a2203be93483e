package test

import (
	"context"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// kind tells nil and empty bytes apart.
func kind(b []byte) string {
	switch {
	case b == nil:
		return "nil"
	case len(b) == 0:
		return "empty"
	}
	return string(b)
}

// A2 27: nil and empty payloads are different, in every direction and every form.
func TestNilAndEmptyStayApart(t *testing.T) {
	// What arrived at the handlers comes back in words.
	first := func(ctx context.Context, st *gridnode.MuxServer) error {
		msg, err := st.Recv(ctx)
		if err != nil {
			return err
		}
		if err := st.Send(ctx, []byte(kind(st.Payload())+", "+kind(msg))); err != nil {
			return err
		}
		return st.Send(ctx, msg)
	}
	firstOfChannel := func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
		msg := <-in
		out <- []byte(kind(payload) + ", " + kind(msg))
		out <- msg
		return nil
	}
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t,
			single(hOwn, func(_ context.Context, req []byte) ([]byte, error) { return []byte(kind(req)), nil }),
			mux(hOwn2, gridnode.MuxHandler{Handle: first, InCapacity: 1}),
			stream(hOwn3, gridnode.StreamHandler{Handle: firstOfChannel, InCapacity: 1}),
			inline(hOwn4, func(_ context.Context, req []byte) ([]byte, error) { return []byte(kind(req)), nil }),
			inline(hOwn5, echo),
		)
		for _, msg := range [][]byte{nil, {}, []byte("some")} {
			want := kind(msg)
			for _, h := range []gridnode.HandlerID{hOwn, hOwn4} {
				if resp, err := p.conn.Request(t.Context(), h, msg); err != nil || string(resp) != want {
					t.Errorf("handler %d: request %s arrived as %s, %v", h, want, resp, err)
				}
			}
			for _, h := range []gridnode.HandlerID{hEcho, hOwn5} {
				if resp, err := p.conn.Request(t.Context(), h, msg); err != nil || kind(resp) != want {
					t.Errorf("handler %d: response %s arrived as %s, %v", h, want, kind(resp), err)
				}
			}
			for _, h := range []gridnode.HandlerID{hOwn2, hOwn3} {
				wantKinds(t, p.conn, h, msg)
				wantKindsOfChannel(t, p.conn, h, msg)
			}
		}
	})
}

func wantKinds(t *testing.T, to gridnode.Target, h gridnode.HandlerID, msg []byte) {
	t.Helper()
	want := kind(msg)
	st := open(t, to, h, msg)
	if err := st.Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if got, err := st.Recv(t.Context()); err != nil || string(got) != want+", "+want {
		t.Errorf("handler %d: %s arrived as %q, %v", h, want, got, err)
	}
	if got, err := st.Recv(t.Context()); err != nil || kind(got) != want {
		t.Errorf("handler %d: %s came back as %s, %v", h, want, kind(got), err)
	}
	if _, err := st.Recv(t.Context()); err == nil {
		t.Error("one message too many")
	}
}

func wantKindsOfChannel(t *testing.T, to gridnode.Target, h gridnode.HandlerID, msg []byte) {
	t.Helper()
	want := kind(msg)
	st := openChannels(t, background, to, h, msg)
	st.Requests <- msg
	if r := <-st.Responses; r.Err != nil || string(r.Msg) != want+", "+want {
		t.Errorf("handler %d: %s arrived as %v", h, want, r)
	}
	if r := <-st.Responses; r.Err != nil || kind(r.Msg) != want {
		t.Errorf("handler %d: %s came back as %v", h, want, r)
	}
	close(st.Requests)
	if r, ok := <-st.Responses; ok {
		t.Errorf("one message too many: %v", r)
	}
}
