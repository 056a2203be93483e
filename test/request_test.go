package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// E1, singles: a call whose handler never returns ends with its link, and the link
// comes back without help.
func TestALostLinkEndsAPendingCallAndComesBack(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		entered, release := make(chan struct{}, 1), make(chan struct{})
		p := n.pair(t, single(hOwn, func(context.Context, []byte) ([]byte, error) {
			entered <- struct{}{}
			<-release // whatever its context says
			return nil, nil
		}))
		defer close(release)
		ended := make(chan error, 1)
		go func() { // ends with the call
			_, err := p.conn.Request(t.Context(), hOwn, nil)
			ended <- err
		}()
		receive(t, "the handler runs", entered)
		start := time.Now()
		p.link().Cut()
		err := receive(t, "the end of the call", ended)
		n.wantWithin(t, "the end of the call", start, 0)
		wantIs(t, err, gridnode.ErrDisconnected)
		if errors.Is(err, gridnode.ErrNotSent) {
			t.Errorf("the handler has run, but the call says it was not sent: %v", err)
		}
		p.serves(t)
	})
}

// E3: echo, error text, large and small.
func TestRequestsComeBackUnchanged(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		for _, size := range []int{1, 100, 4096, 4097, 65536, 65537, 1 << 20} {
			req := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
			resp, err := p.conn.Request(t.Context(), hEcho, req)
			if err != nil || !bytes.Equal(resp, req) {
				t.Errorf("%d bytes: %d came back, %v", size, len(resp), err)
			}
		}
	})
}

// E3: the text of an error comes back unchanged, as a remote error, with no response.
func TestErrorTextsComeBackUnchanged(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		for _, text := range []string{"", "no such lock", strings.Repeat("0123456789abcdef", 64), "with \x00 and ünïcode"} {
			resp, err := p.conn.Request(t.Context(), hFail, []byte(text))
			var e *gridnode.Error
			if !errors.As(err, &e) || !e.Remote || e.Message != text || e.Code != gridnode.CodeApplication || resp != nil {
				t.Errorf("%q came back as %q, %#v", text, resp, err)
			}
		}
	})
}

// E4, and 23-12-01 5f971fea6: a handler that the remote has not gives an error at once,
// for every form of call, and the link stays. The caller need not have it.
func TestAnUnknownHandlerIsAnErrorAtOnce(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, single(hOwn, echo, "known"))
		start := time.Now()
		for name, to := range map[string]gridnode.Target{
			"number": p.conn, "route": p.conn.Subroute("known/not"), "empty route": p.conn.Subroute(""),
		} {
			id := hOwn
			if name == "number" {
				id = hOwn2
			}
			_, err := to.Request(t.Context(), id, []byte("x"))
			wantIs(t, err, gridnode.ErrUnknownHandler)
			_, err = to.OpenMux(t.Context(), id, []byte("x"))
			wantIs(t, err, gridnode.ErrUnknownHandler)
			_, err = to.NewStream(t.Context(), id, []byte("x"))
			wantIs(t, err, gridnode.ErrUnknownHandler)
		}
		// A single is no stream, nor the reverse.
		_, err := p.conn.Request(t.Context(), hEchoMux, nil)
		wantIs(t, err, gridnode.ErrUnknownHandler)
		_, err = p.conn.OpenMux(t.Context(), hEcho, nil)
		wantIs(t, err, gridnode.ErrUnknownHandler)
		n.wantWithin(t, "all refusals", start, 0)
		wantEcho(t, p.conn, "still there")
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}

// E4: what only the remote has can be called; what only the caller has cannot.
func TestHandlersNeedNotBeRegisteredAtTheCaller(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t, onlyOn(n.handlers, func(m *gridnode.Manager) error {
			return errors.Join(
				m.RegisterSingle(hOwn, echo),
				m.RegisterMux(hOwn2, gridnode.MuxHandler{Handle: echoMux, InCapacity: 1}),
			)
		}))
		if resp, err := p.conn.Request(t.Context(), hOwn, []byte("x")); err != nil || string(resp) != "x" {
			t.Errorf("%q, %v", resp, err)
		}
		wantMuxEcho(t, p.conn, hOwn2, 10)
		_, err := p.back.Request(t.Context(), hOwn, nil)
		wantIs(t, err, gridnode.ErrUnknownHandler)
		_, err = p.back.OpenMux(t.Context(), hOwn2, nil)
		wantIs(t, err, gridnode.ErrUnknownHandler)
	})
}

// 23-11-28 0bb81f2e9: an error of a handler under a route, or of a route that does not
// exist, leaves the connection as it was.
func TestAFailingRoutedCallLeavesTheConnectionAlone(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		fail := func(context.Context, []byte) ([]byte, error) { return nil, errors.New("routed") }
		p := n.pair(t, single(hOwn, fail, "disk1", "a"))
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				_, err := p.conn.Subroute("disk1").Subroute("a").Request(t.Context(), hOwn, numbered(i))
				var e *gridnode.Error
				if !errors.As(err, &e) || e.Message != "routed" {
					t.Errorf("failing handler: %v", err)
				}
				_, err = p.conn.Subroute("disk2/a").Request(t.Context(), hOwn, numbered(i))
				wantIs(t, err, gridnode.ErrUnknownHandler)
				wantEcho(t, p.conn, fmt.Sprint(i))
			})
		}
		callers.Wait()
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}

// Both sides call each other at once over the one connection that they have.
func TestBothSidesCallAtOnceOverOneConnection(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		var callers sync.WaitGroup
		for i := range 16 {
			from := []*gridnode.Connection{p.conn, p.back}[i%2]
			callers.Go(func() {
				for k := range 50 {
					wantEcho(t, from, fmt.Sprint(i, " ", k))
				}
			})
		}
		callers.Wait()
		if a, b := p.conn.Stats().Sessions, p.back.Stats().Sessions; a != 1 || b != 1 {
			t.Errorf("%d and %d sessions, want 1", a, b)
		}
	})
}
