package gridtest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func TestANewClusterIsConnectedPairByPair(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 3, kind)
		if c.Len() != 3 {
			t.Errorf("%d nodes, want 3", c.Len())
		}
		for from := range 3 {
			for to := range 3 {
				if state := c.Conn(from, to).State(); state != gridnode.StateConnected {
					t.Errorf("node %d to node %d: %v", from, to, state)
				}
				wantEcho(t, c, from, to)
			}
		}
	})
}

func TestMemoryIsTheDefault(t *testing.T) {
	c := gridtest.NewCluster(t, 1)
	if l, err := c.Listen("http://other:9000"); err != nil || l.Addr().String() != "other:9000" {
		t.Error(l, err) // no address of this machine
	}
	if c.TLS() != nil {
		t.Error("TLS() is not nil without TLS")
	}
}

func TestNamesDoNotDependOnTheNetworkButForTheScheme(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 2, kind)
		scheme := "http"
		if kind == gridtest.TLS {
			scheme = "https"
		}
		for i, want := range []string{scheme + "://node0:9000", scheme + "://node1:9000"} {
			if c.Name(i) != want || c.Node(i).Local() != want || c.NameOf([]string{"node0", "node1"}[i]) != want {
				t.Errorf("node %d is called %q and %q, want %q", i, c.Name(i), c.Node(i).Local(), want)
			}
		}
		if got := c.Conn(0, 1).Remote(); got != c.Name(1) {
			t.Errorf("Conn(0, 1) leads to %s", got)
		}
		if got := c.Conn(1, 1).Remote(); got != c.Name(1) {
			t.Errorf("Conn(1, 1) leads to %s", got)
		}
	})
}

func TestAStoppedNodeIsGoneAndComesBackAsANewProcess(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		var configured, registered []int
		c := cluster(t, 3, kind,
			gridtest.WithConfig(func(i int, _ *gridnode.Config) { configured = append(configured, i) }),
			gridtest.WithHandlers(func(i int, _ *gridnode.Manager) error { registered = append(registered, i); return nil }))
		conn, old := c.Conn(0, 1), c.Node(1)
		c.Stop(1)
		c.Stop(1) // does nothing
		if c.Node(1) != nil {
			t.Error("a stopped node is not nil")
		}
		eventually(t, "the loss is noticed", func() bool { return conn.State() != gridnode.StateConnected })
		if _, err := conn.Request(t.Context(), hEcho, nil); !errors.Is(err, gridnode.ErrNotSent) {
			t.Errorf("a call to a stopped node: %v", err)
		}
		c.WaitConnected() // of those that run
		wantEcho(t, c, 0, 2)
		c.Start(1)
		c.WaitConnected()
		for i := range 3 {
			wantEcho(t, c, i, 1)
			wantEcho(t, c, 1, i)
		}
		if c.Conn(0, 1) != conn {
			t.Error("the peer's connection has changed")
		}
		if c.Node(1) == old || conn.Stats().Restarts != 1 {
			t.Error("the node is not a new process")
		}
		if want := []int{0, 1, 2, 1}; !slices.Equal(configured, want) || !slices.Equal(registered, want) {
			t.Errorf("configured %v, registered %v, want both for %v", configured, registered, want)
		}
	})
}

func TestWithoutWaitReturnsAtOnceAndWaitConnectedWaits(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		release := make(chan struct{})
		c := cluster(t, 2, kind, gridtest.WithoutWait(), gridtest.WithConfig(func(_ int, cfg *gridnode.Config) {
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				select {
				case <-release:
					return dial(ctx, network, addr)
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
		}))
		if state := c.Conn(0, 1).State(); state == gridnode.StateConnected {
			t.Error("the nodes are connected, though nobody could dial")
		}
		close(release)
		c.WaitConnected()
		wantEcho(t, c, 0, 1)
		wantEcho(t, c, 1, 0)
	})
}

func TestConfigsAreChangedInOrderAfterTheClusterHasFilledThem(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 2, kind, gridtest.WithPeers("http://played:9000"),
			gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
				name := "http"
				if kind == gridtest.TLS {
					name = "https"
				}
				peers := []string{name + "://node0:9000", name + "://node1:9000", "http://played:9000"}
				if cfg.Local != peers[i] || !slices.Equal(cfg.Peers, peers) || cfg.Dial == nil || (cfg.TLS != nil) != (kind == gridtest.TLS) {
					t.Errorf("node %d: %+v", i, cfg)
				}
				cfg.MaxMessage = 1000 + i
			}),
			gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
				if cfg.MaxMessage != 1000+i {
					t.Errorf("node %d: the first option comes second", i)
				}
				cfg.MaxMessage = 10
			}))
		_, err := c.Conn(0, 1).Request(t.Context(), hEcho, make([]byte, 11))
		if !errors.Is(err, gridnode.ErrMessageTooLarge) {
			t.Errorf("11 bytes: %v, want the limit of the second option", err)
		}
	})
}

func TestAPlayedPeerIsDialledUnderItsNameAndNotWaitedFor(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		name := "http://someone:9000" // whom node 0 dials until it listens, and not the other way round
		if kind == gridtest.TLS {
			name = "https://someone:9000"
		}
		c := cluster(t, 1, kind, gridtest.WithPeers(name)) // returns
		l, err := c.Listen(name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, secure := conn.(*tls.Conn); secure != (kind == gridtest.TLS) {
			t.Errorf("the listener gives %T", conn)
		}
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil || req.URL.Path != "/grid/v1" || req.Host != "someone:9000" {
			t.Errorf("the node says %+v, %v", req, err)
		}
	})
}

func TestDialReachesANodeFromOutside(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 1, kind)
		conn, err := c.Dial(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if secure, ok := conn.(*tls.Conn); ok != (kind == gridtest.TLS) || ok && !secure.ConnectionState().HandshakeComplete {
			t.Errorf("Dial gives %T, its handshake may not be done", conn)
		}
		if _, err := io.WriteString(conn, "GET /nowhere HTTP/1.1\r\nHost: node0\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode < 400 {
			t.Fatalf("the node answers %v, %v", resp, err)
		}
		resp.Body.Close()
	})
}

func TestDialFailsForAStoppedNodeAndWithItsContext(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 2, kind)
		c.Stop(1)
		if conn, err := c.Dial(t.Context(), 1); err == nil {
			conn.Close()
			t.Error("a stopped node was reached")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if conn, err := c.Dial(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("a dial whose context has ended: %v, %v", conn, err)
		}
	})
}

func TestNetworksHaveNames(t *testing.T) {
	var names []string
	for _, n := range append(slices.Clone(all), 9) {
		names = append(names, n.String())
	}
	if got := strings.Join(names, " "); got != "memory tcp tls Network(9)" {
		t.Error(got)
	}
}
