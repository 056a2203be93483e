package test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func lending(id gridnode.HandlerID, h gridnode.SingleHandler, subroute ...string) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterSingleLending(id, h, subroute...) })
}

const hLent gridnode.HandlerID = 901

// patterned is a message that tells where it belongs in every byte.
func patterned(size, who int) []byte { return fill(make([]byte, size), byte(who)) }

func intact(msg []byte, size, who int) error {
	if !bytes.Equal(msg, patterned(size, who)) {
		return fmt.Errorf("a message of %d bytes of %d has changed", size, who)
	}
	return nil
}

// Everybody recycles what he gets, and nobody finds in his message what is another's,
// as long as it is his.
func TestRecycledMessagesAreOneOwnersAtATime(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t,
			lending(hLent, func(_ context.Context, req []byte) ([]byte, error) {
				return req, intact(req, len(req), int(req[0]))
			}),
			mux(hOwn, gridnode.MuxHandler{InCapacity: 4, OutCapacity: 4, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				for msg, err := range st.All(ctx) {
					if err != nil {
						return err
					}
					if err := st.Send(ctx, msg); err != nil {
						return err
					}
					gridnode.Recycle(msg)
				}
				return nil
			}}))
		var callers sync.WaitGroup
		for who := range 8 {
			callers.Go(func() {
				for i := range 12 {
					size := bufferSizes[i%len(bufferSizes)] + 70*who
					if err := exchange(t, p.conn, size, who); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
	})
}

// exchange has a message come back by a single and by a stream, and looks at it.
func exchange(t *testing.T, to gridnode.Target, size, who int) error {
	resp, err := to.Request(t.Context(), hLent, patterned(size, who))
	if err != nil {
		return err
	}
	st, err := to.OpenMux(t.Context(), hOwn, nil)
	if err != nil {
		return err
	}
	defer st.Cancel(nil)
	for range 3 {
		if err := st.Send(t.Context(), resp); err != nil {
			return err
		}
	}
	var got [3][]byte
	for i := range got {
		if got[i], err = st.Recv(t.Context()); err != nil {
			return err
		}
	}
	for _, msg := range append(got[:], resp) {
		if err := intact(msg, size, who); err != nil {
			return err
		}
		gridnode.Recycle(msg)
	}
	return nil
}

// What is lent is registered like any other single.
func TestALendingHandlerIsRegisteredLikeAnyOther(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		nils := func(_ context.Context, req []byte) ([]byte, error) {
			switch {
			case req == nil:
				return []byte("nil"), nil
			case len(req) == 0:
				return []byte("empty"), nil
			}
			return bytes.ToUpper(req), nil
		}
		p := n.pair(t, lending(hLent, nils, "a", "b"))
		for req, want := range map[string]string{"x": "X", "": "empty"} {
			resp, err := p.conn.Subroute("a").Subroute("b").Request(t.Context(), hLent, []byte(req))
			if err != nil || string(resp) != want {
				t.Errorf("%q: %q, %v", req, resp, err)
			}
		}
		if resp, err := p.conn.Subroute("a/b").Request(t.Context(), hLent, nil); err != nil || string(resp) != "nil" {
			t.Errorf("nil: %q, %v", resp, err)
		}
		fresh, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		defer fresh.Close()
		if err := fresh.RegisterSingleLending(hLent, nil); err == nil || !strings.Contains(err.Error(), "no function") {
			t.Errorf("no function: %v", err)
		}
		if err := fresh.RegisterSingleLending(0, nils); err == nil {
			t.Error("handler 0")
		}
	})
}
