package test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// tokens makes all nodes show a credential and verify those of others: the name of the
// node that shows it and of the node that it is shown to. It counts what is asked.
func tokens(asked *atomic.Int64, wrong int) gridtest.Option {
	return gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		local := cfg.Local
		cfg.Token = func(_ context.Context, peer string) (string, error) {
			asked.Add(1)
			if i == wrong {
				return "wrong", nil
			}
			return local + " to " + peer, nil
		}
		cfg.Verify = func(_ context.Context, peer, token string, state *tls.ConnectionState) error {
			asked.Add(1)
			if strings.HasPrefix(local, "https") != (state != nil) {
				return fmt.Errorf("state of TLS: %v", state)
			}
			if token != peer+" to "+local {
				return errors.New("the credential is " + token)
			}
			return nil
		}
	})
}

// 24-07-22 8e618d45f: credentials cost something when a connection is made, and nothing
// afterwards.
func TestCredentialsAreCheckedAtTheHandshakeOnly(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var asked atomic.Int64
		p := n.pair(t, tokens(&asked, -1))
		before := asked.Load()
		if before < 4 { // each side shows one and verifies one
			t.Errorf("%d questions for a handshake, want 4 at least", before)
		}
		eventually(t, "calls ask nothing", func() bool { // a knock may be under way at first
			before = asked.Load()
			for range 100 {
				wantEcho(t, p.conn, "x")
				wantEcho(t, p.back, "x")
			}
			wantMuxEcho(t, p.conn, hEchoMux, 10)
			return asked.Load() == before
		})
	})
}

// 24-01-19 83bf15a70: who is refused learns why, in the connection's error, in what its
// calls end with, and in its log; whichever side's credential is wrong.
func TestARefusalNamesItsCause(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for wrong := range 2 {
			var log logLines
			var asked atomic.Int64
			p := n.pair(t, gridtest.WithoutWait(), tokens(&asked, wrong), log.option())
			<-time.After(time.Minute)
			const cause = "the credential is wrong"
			dials, other := p.Conn(0, 1), p.Conn(1, 0)
			if err := dials.Err(); err == nil || !strings.Contains(err.Error(), cause) {
				dials, other = other, dials
			}
			// One that has accepted, and is then refused by who has dialled, is told no more than
			// what was not believed.
			wantText(t, "the other's Err", other.Err(), "refused", "credential")
			if err := dials.Err(); err == nil || !strings.Contains(err.Error(), cause) {
				t.Errorf("node %d is wrong: the error is %v", wrong, err)
			}
			_, err := dials.Request(t.Context(), hEcho, nil)
			wantIs(t, err, gridnode.ErrNotSent)
			if err == nil || !strings.Contains(err.Error(), cause) {
				t.Errorf("node %d is wrong: a call ends with %v", wrong, err)
			}
			if log.count(cause) == 0 {
				t.Errorf("node %d is wrong: the log does not tell\n%s", wrong, strings.Join(log.all(), "\n"))
			}
			p.Stop(0)
			p.Stop(1)
		}
	})
}

// 24-01-19 83bf15a70: a peer that does not know the name, or that has another.
func TestAnUnknownPeerIsToldSo(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		var log logLines
		p := n.pair(t, gridtest.WithoutWait(), log.option(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
			if i == n.handlers {
				cfg.Peers = nil
			}
		}))
		conn := p.Node(n.caller).Connection(p.Name(n.handlers))
		eventually(t, "the refusal is logged", func() bool { return log.count("unknown peer") > 0 })
		_, err := conn.Request(t.Context(), hEcho, nil)
		wantIs(t, err, gridnode.ErrNotSent)
		wantIs(t, conn.WaitForConnect(expired(t)), context.DeadlineExceeded)
		p.Stop(n.handlers)
	})
}

// expired is a context whose deadline comes soon.
func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// 24-11-12 b5177993b: a node in an http.Server of its user's, with timeouts for reading,
// writing and idling: the connection outlives all of them, idle and busy.
func TestTheServersTimeoutsDoNotReachTheConnection(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, links, func(t *testing.T, n *rig) {
		const timeout = 100 * time.Millisecond
		var like gridnode.Config
		name := "http://own:9000"
		if n.kind == gridtest.TLS {
			name = "https://own:9000"
		}
		c := n.cluster(t, 1, gridtest.WithPeers(name), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { like = *cfg }))
		m, err := gridnode.NewManager(gridnode.Config{Local: name, Peers: []string{c.Name(0)}, Dial: like.Dial, TLS: like.TLS})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(m.RegisterSingle(hEcho, echo), m.Start()); err != nil {
			t.Fatal(err)
		}
		routes := http.NewServeMux()
		routes.Handle("/grid/v1", m.Handler())
		server := &http.Server{Handler: routes, ReadTimeout: timeout, WriteTimeout: timeout, IdleTimeout: timeout, ReadHeaderTimeout: timeout}
		l, err := c.Listen(name)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }() // ends with server.Close
		conn, back := c.Node(0).Connection(name), m.Connection(c.Name(0))
		if err := errors.Join(conn.WaitForConnect(t.Context()), back.WaitForConnect(t.Context())); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * timeout)                                 // idle
		for start := time.Now(); time.Since(start) < 5*timeout; { // busy
			wantEcho(t, conn, "x")
			wantEcho(t, back, "x")
			<-time.After(timeout / 50)
		}
		if a, b := conn.Stats().Sessions, back.Stats().Sessions; a != 1 || b != 1 {
			t.Errorf("%d and %d sessions, want 1", a, b)
		}
		if err := errors.Join(m.Close(), server.Close()); err != nil {
			t.Error(err)
		}
		wantIs(t, <-served, http.ErrServerClosed)
	})
}
