package memnet

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func listen(t *testing.T, n *Network, addr string) net.Listener {
	t.Helper()
	l, err := n.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestDialReachesTheListenerOfTheAddress(t *testing.T) {
	n := New()
	listen(t, n, "b:81")
	l := listen(t, n, "b:80")
	near, err := n.Host("a").Dial(context.Background(), "tcp", "b:80")
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if got := far.LocalAddr().String(); got != "b:80" {
		t.Errorf("accepted at %q", got)
	}
	if got := hostOf(far.RemoteAddr().String()); got != "a" {
		t.Errorf("accepted from host %q", got)
	}
}

func TestHostsAreNamedByNameOrAddress(t *testing.T) {
	n := New()
	link := n.Link("a", "b")
	for _, other := range []*Link{n.Link("b", "a"), n.Link("a:1", "b:2"), n.Link("b:9", "a")} {
		if other != link {
			t.Error("another link")
		}
	}
	if n.Link("a", "c") == link {
		t.Error("one link for two pairs")
	}
	l, err := n.Host("b:9000").Listen(":9000")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := l.Addr().String(); got != "b:9000" {
		t.Errorf("listens on %q", got)
	}
}

func TestDialFromNoHostInParticular(t *testing.T) {
	n := New()
	listen(t, n, "b:80")
	c, err := n.Dial(context.Background(), "tcp", "b:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n.Link("", "b").Cut()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("Read = %v, want a reset", err)
	}
}

func TestPortZeroIsAnyFreePort(t *testing.T) {
	n := New()
	first, second := listen(t, n, "b:0"), listen(t, n, "b:0")
	if first.Addr() == second.Addr() {
		t.Fatalf("both listen on %v", first.Addr())
	}
	n.port = lastPort
	third := listen(t, n, "b:0")
	if third.Addr() == first.Addr() || third.Addr() == second.Addr() {
		t.Fatalf("%v is taken", third.Addr())
	}
}

func TestListenRefuses(t *testing.T) {
	n := New()
	listen(t, n, "b:80")
	if _, err := n.Listen("b:80"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen = %v", err)
	}
	if _, err := n.Host("a").Listen("b:81"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("Listen on another host = %v", err)
	}
	if _, err := n.Listen("b"); err == nil {
		t.Error("Listen without a port worked")
	}
}

func TestDialRefuses(t *testing.T) {
	n := New()
	listen(t, n, "b:80")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name, network, addr string
		ctx                 context.Context
		want                error
	}{
		{"nobody listens", "tcp", "b:81", context.Background(), syscall.ECONNREFUSED},
		{"no such host", "tcp", "c:80", context.Background(), syscall.ECONNREFUSED},
		{"another network", "udp", "b:80", context.Background(), net.UnknownNetworkError("udp")},
		{"ctx has ended", "tcp", "b:80", ended, context.Canceled},
	} {
		conn, err := n.Host("a").Dial(c.ctx, c.network, c.addr)
		if !errors.Is(err, c.want) || conn != nil {
			t.Errorf("%s: Dial = %v, %v", c.name, conn, err)
		}
	}
	if _, err := n.Host("a").Dial(context.Background(), "tcp", "b"); err == nil {
		t.Error("Dial without a port worked")
	}
	if left := n.Link("a", "b").conns; len(left) != 0 {
		t.Errorf("%d connections of failed dials are left", len(left))
	}
}

func TestDialWaitsWhileTheLinkIsStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		listen(t, n, "b:80")
		n.Link("a", "b").Stall()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		wantAfter(t, time.Second, func() {
			_, err := n.Host("a").Dial(ctx, "tcp", "b:80")
			var timeout net.Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Fatalf("Dial = %v, want a timeout", err)
			}
		})
		resume := time.AfterFunc(time.Minute, n.Link("a", "b").Resume)
		defer resume.Stop()
		wantAfter(t, time.Minute, func() {
			c, err := n.Host("a").Dial(context.Background(), "tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		})
	})
}

func TestPartitionEndsAStalledDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		listen(t, n, "b:80")
		n.Link("a", "b").Stall()
		var dial sync.WaitGroup
		dial.Go(func() {
			if _, err := n.Host("a").Dial(context.Background(), "tcp", "b:80"); !errors.Is(err, syscall.ENETUNREACH) {
				t.Errorf("Dial = %v", err)
			}
		})
		synctest.Wait()
		n.Link("a", "b").Partition()
		dial.Wait()
	})
}

// fillBacklog dials until the next dial would have to wait.
func fillBacklog(t *testing.T, n *Network, addr string) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for range backlog {
		c, err := n.Host("a").Dial(context.Background(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

func TestDialWaitsWhileTheBacklogIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		l := listen(t, n, "b:80")
		conns := fillBacklog(t, n, "b:80")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := n.Host("a").Dial(ctx, "tcp", "b:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Dial = %v", err)
		}
		if got := len(n.Link("a", "b").conns); got != backlog {
			t.Fatalf("the link has %d connections, want %d", got, backlog)
		}
		var dial sync.WaitGroup
		dial.Go(func() {
			c, err := n.Host("a").Dial(context.Background(), "tcp", "b:80")
			if err != nil {
				t.Errorf("Dial = %v", err)
				return
			}
			c.Close()
		})
		synctest.Wait()
		c, err := l.Accept()
		if err != nil || c.RemoteAddr() != conns[0].LocalAddr() {
			t.Fatalf("Accept = %v, %v, want the oldest", c, err)
		}
		dial.Wait()
	})
}

func TestListenerCloseEndsEverythingThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		l := listen(t, n, "b:80")
		conns := fillBacklog(t, n, "b:80")
		idle := listen(t, n, "b:81")
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := n.Host("a").Dial(context.Background(), "tcp", "b:80"); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("Dial = %v", err)
			}
		})
		all.Go(func() {
			if _, err := idle.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept = %v", err)
			}
		})
		synctest.Wait()
		for _, l := range []net.Listener{l, idle} {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				t.Fatalf("second Close = %v", err)
			}
		}
		all.Wait()
		wantReset(t, conns[0].(*Conn))
		listen(t, n, "b:80") // the address is free again
	})
}

func TestAcceptedConnectionsOutliveTheListener(t *testing.T) {
	a, b := connect(t, New()) // closes the listener
	write(t, a, []byte("still here"))
	wantRead(t, b, []byte("still here"))
}
