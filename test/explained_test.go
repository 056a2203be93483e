package test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// wantText fails the test unless err has all parts in its text.
func wantText(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q in it", what, err, part)
		}
	}
}

// Whose turn it is to dial is nobody's business: both sides are told the peer and the
// cause, by the connection's error, by calls and by those who wait, and in the log.
func TestBothSidesAreToldWhyTheyAreNotConnected(t *testing.T) {
	for _, c := range []struct {
		cause string
		cfg   func(i int, cfg *gridnode.Config)
	}{
		{"no carrier", func(_ int, cfg *gridnode.Config) {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no carrier") }
		}},
		{"Config.HandshakeTimeout is 5s", func(_ int, cfg *gridnode.Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		}},
		{"who are you", func(_ int, cfg *gridnode.Config) {
			cfg.Verify = func(context.Context, string, string, *tls.ConnectionState) error { return errors.New("who are you") }
		}},
		{"no grid at", func(i int, cfg *gridnode.Config) { cfg.Path = []string{"/grid/v1", "/grid/v2"}[i] }},
	} {
		inVirtualTime(t, func(t *testing.T, n *rig) {
			var log logLines
			p := n.pair(t, gridtest.WithoutWait(), log.option(), gridtest.WithConfig(c.cfg))
			<-time.After(time.Minute)
			for i := range 2 {
				conn := p.Conn(i, 1-i)
				wantText(t, "Err", conn.Err(), c.cause)
				_, err := conn.Request(t.Context(), hEcho, nil)
				wantIs(t, err, gridnode.ErrNotSent)
				wantText(t, "a call", err, conn.Remote(), c.cause)
				err = conn.WaitForConnect(expired(t))
				wantIs(t, err, context.DeadlineExceeded)
				wantText(t, "WaitForConnect", err, conn.Remote(), c.cause)
				if lines := log.count("node=" + p.Name(i) + " peer=" + p.Name(1-i)); lines != 1 {
					t.Errorf("node %d: %d lines:\n%s", i, lines, strings.Join(log.all(), "\n"))
				}
			}
		})
	}
}

// Before there is anything to tell, the error tells that.
func TestACallBeforeStartSaysSo(t *testing.T) {
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://a:1", Peers: []string{"http://b:1"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Connection("http://b:1").Request(t.Context(), hEcho, nil)
	wantIs(t, err, gridnode.ErrNotSent)
	wantText(t, "a call", err, "http://b:1", "not started")
}

// A call that cannot work says what would.
func TestErrorsSayWhatWouldWork(t *testing.T) {
	onEach(t, []network{memory, reverse}, func(t *testing.T, n *rig) {
		release := make(chan struct{})
		deaf := func(context.Context, []byte) ([]byte, error) { <-release; return nil, nil }
		p := n.pair(t, single(hOwn, echo, "orders"), single(hOwn2, deaf), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
			cfg.MaxMessage = 1 << 20
			if i == n.handlers {
				cfg.MaxMessage = 1 << 19
			}
		}))
		_, err := p.conn.Request(t.Context(), hCount, nil)
		wantText(t, "a single for a stream", err, p.conn.Remote(), "no single 6", "but stream 6")
		_, err = p.conn.OpenMux(t.Context(), hEcho, nil)
		wantText(t, "a stream for a single", err, "no stream 1", "but single 1")
		_, err = p.conn.Request(t.Context(), hOwn, nil)
		wantText(t, "no subroute", err, `no single 7, subroute ""`, `but single 7, subroute "orders"`)
		_, err = p.conn.Request(t.Context(), hEcho, make([]byte, 1<<19+1))
		wantIs(t, err, gridnode.ErrMessageTooLarge)
		wantText(t, "too large", err, "524289", "Config.MaxMessage of "+p.conn.Remote()+" is 524288")
		for _, size := range []int{1, 100_000} {
			_, err = p.conn.Request(t.Context(), hOwn2, make([]byte, size))
			wantIs(t, err, context.DeadlineExceeded)
			wantText(t, "no deadline", err, p.conn.Remote(), "Config.CallTimeout, 1m0s")
		}
		close(release)
	})
}

// A drain that runs out of time says what it has waited for.
func TestShutdownNamesWhatItCutsOff(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		ended := make(chan error)
		go func() { // ends with the drain
			_, err := p.conn.Request(background, hHang, nil)
			ended <- err
		}()
		eventually(t, "the call is served", func() bool { return p.back.Stats().ServingCalls == 1 })
		err := p.Node(p.caller).Shutdown(expired(t))
		wantIs(t, err, context.DeadlineExceeded)
		wantText(t, "Shutdown", err, p.conn.Remote()+" (1 calls and streams to it, 0 from it)")
		wantIs(t, receive(t, "the call ends", ended), gridnode.ErrDisconnected)
		p.Stop(p.caller)
	})
}

// An https node without a certificate serves without TLS, which may be a mistake.
func TestServeWithoutACertificateSaysSo(t *testing.T) {
	var log logLines
	n := &rig{network: overTLS}
	p := n.pair(t, gridtest.WithoutWait(), log.option(), config(func(cfg *gridnode.Config) { cfg.TLS = &tls.Config{RootCAs: cfg.TLS.RootCAs} }))
	eventually(t, "both say so", func() bool { return log.count("Config.TLS has no certificate") == 2 })
	eventually(t, "the error is told", func() bool {
		err := p.conn.Err()
		return err != nil && strings.Contains(err.Error(), "TLS")
	})
}

// http.StripPrefix in front of the Handler is told by the path that is left.
func TestTheWrongPathIsNamed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/v1", nil)
		p.Node(0).Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"/v1"`) {
			t.Errorf("%d %s", w.Code, w.Body.String())
		}
	})
}

// Of many calls that are lost each says whose connection it was, and why: as the result
// of a fan-out, and as the end of a stream. It is one error for all that one loss ends.
func TestALostCallNamesThePeer(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		serving := make(chan context.Context, 1)
		c := n.cluster(t, 3, single(hOwn, func(ctx context.Context, _ []byte) ([]byte, error) {
			serving <- ctx
			<-ctx.Done()
			return nil, nil
		}))
		lost := make(chan gridnode.Result, 4)
		for range 2 {
			go func() { // ends with the calls
				for _, r := range c.Node(0).Broadcast(background, hHang, nil, gridnode.Fanout{}) {
					lost <- r
				}
			}()
		}
		go func() { _, _ = c.Conn(1, 0).Request(background, hOwn, nil) }() // ends with the link
		st, err := c.Conn(0, 1).OpenMux(t.Context(), hEchoMux, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := receive(t, "a call is served", serving)
		eventually(t, "all are under way", func() bool { return c.Conn(0, 1).Stats().Calls+c.Conn(0, 2).Stats().Calls == 4 })
		c.Link(0, 1).Stall()
		c.Link(0, 2).Stall()
		const why = "silent"
		errs := map[string]error{}
		for range cap(lost) {
			r := receive(t, "the call ends", lost)
			wantIs(t, r.Err, gridnode.ErrDisconnected)
			wantText(t, "a call", r.Err, "disconnected from "+r.Peer+": ", why)
			if errs[r.Peer] != nil && errs[r.Peer] != r.Err {
				t.Errorf("%v was made for each call", r.Err)
			}
			errs[r.Peer] = r.Err
		}
		_, err = st.Recv(t.Context())
		wantIs(t, err, gridnode.ErrDisconnected)
		wantText(t, "a stream", err, c.Name(1), why)
		wantText(t, "a handler's context", context.Cause(ctx), c.Name(1), why)
		wantText(t, "Err", c.Conn(0, 1).Err(), c.Name(1))
	})
}
