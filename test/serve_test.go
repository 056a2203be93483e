package test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// A node under an https name serves TLS, however its certificate is given: those of a
// server that renews it come from a function.
func TestServeTakesTheCertificateFromAFunctionToo(t *testing.T) {
	for name, give := range map[string]func(server *tls.Config, cert *tls.Certificate){
		"GetCertificate": func(c *tls.Config, cert *tls.Certificate) {
			c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
		},
		"GetConfigForClient": func(c *tls.Config, cert *tls.Certificate) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				return &tls.Config{Certificates: []tls.Certificate{*cert}}, nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := &rig{network: overTLS}
			p := n.pair(t, config(func(cfg *gridnode.Config) {
				cert := cfg.TLS.Certificates[0]
				cfg.TLS = cfg.TLS.Clone()
				cfg.TLS.Certificates = nil
				give(cfg.TLS, &cert)
			}))
			wantEcho(t, p.conn, "x")
		})
	}
}

// A path with an escaped character is the same at both ends.
func TestAPathWithAnEscapeIsServed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, path := range []string{"/gr%C3%BCn/v1", "/a%2Fb", "/grid/v1/", "/a:b@c"} {
			p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.Path = path }))
			wantEcho(t, p.conn, "x")
		}
	})
}

// An idle link is pinged before it is given up, also where DeadAfter leaves less time
// for that than there is between two looks.
func TestAnIdleLinkOutlivesTightTimes(t *testing.T) {
	t.Parallel() // its clock is its own
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, times := range [][2]time.Duration{{time.Second, time.Second + 1}, {100 * time.Millisecond, 105 * time.Millisecond}, {20 * time.Millisecond, 30 * time.Millisecond}} {
			p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.PingAfter, cfg.DeadAfter = times[0], times[1] }))
			<-time.After(time.Minute)
			if a, b := p.conn.Stats().Sessions, p.back.Stats().Sessions; a != 1 || b != 1 {
				t.Errorf("PingAfter %v, DeadAfter %v: %d and %d sessions in a minute of silence, want 1", times[0], times[1], a, b)
			}
			p.link().Stall()
			eventually(t, "a stalled link is given up", func() bool { return p.conn.State() != gridnode.StateConnected })
			p.link().Resume()
			p.Stop(0)
			p.Stop(1)
		}
	})
}

// Two Shutdowns at once wait for the same calls, and neither cuts off the other.
func TestShutdownsAtOnceBothDrain(t *testing.T) {
	for range 20 {
		inVirtualTime(t, func(t *testing.T, n *rig) {
			d := n.draining(t)
			ended := make(chan error, 5)
			for range cap(ended) {
				go func() { ended <- d.Node(d.server).Shutdown(background) }() // ends with the calls
				<-time.After(300 * time.Microsecond)                           // so that they look at different times
			}
			wantNewCallsFail(t, d.back)
			close(d.release)
			for range cap(ended) {
				if err := receive(t, "Shutdown returns", ended); err != nil {
					t.Error(err)
				}
			}
			for range 4 {
				if err := receive(t, "the calls finish", d.ends); err != nil {
					t.Error(err)
				}
			}
			d.Stop(d.server)
		})
	}
}

// A connection whose handshake was under way when Shutdown came is drained like the
// others: no new calls in either direction.
func TestAConnectionThatComesDuringADrainIsDrained(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		inside, proceed := make(chan struct{}, 10), make(chan struct{})
		entered, release := make(chan struct{}, 1), make(chan struct{})
		c := n.cluster(t, 2, gridtest.WithoutWait(),
			single(hOwn, func(context.Context, []byte) ([]byte, error) {
				entered <- struct{}{}
				<-release
				return nil, nil
			}),
			gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
				if i == n.handlers {
					cfg.Verify = func(context.Context, string, string, *tls.ConnectionState) error {
						inside <- struct{}{}
						<-proceed
						return nil
					}
				}
			}))
		node := c.Node(n.handlers)
		self := c.Conn(n.handlers, n.handlers)
		if err := self.WaitForConnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		go self.Request(background, hOwn, nil) // holds Shutdown up
		receive(t, "the handler runs", entered)
		receive(t, "the handshake is under way", inside)
		ended := make(chan error, 1)
		go func() { ended <- node.Shutdown(background) }() // ends with the call
		wantNewCallsFail(t, self)
		close(proceed)
		<-time.After(time.Second)
		for _, conn := range []*gridnode.Connection{c.Conn(n.handlers, n.caller), c.Conn(n.caller, n.handlers)} {
			_, err := conn.Request(background, hEcho, nil)
			wantIs(t, err, gridnode.ErrNotSent)
		}
		close(release)
		if err := receive(t, "Shutdown returns", ended); err != nil {
			t.Error(err)
		}
		c.Stop(n.handlers)
	})
}

// A node whose listeners come and go keeps none of them.
func TestServeReturnsWhenItsListenerIsClosed(t *testing.T) {
	m := newNode(t)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(l) }() // ends with the listener
	idle, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	l.Close()
	if err := receive(t, "Serve returns", served); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
