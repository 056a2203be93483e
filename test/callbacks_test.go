package test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// callbacks are what a node asks its application while it connects, each made to run
// first before it does what it did. Node 0 may be either side of the handshake.
var callbacks = map[string]func(cfg *gridnode.Config, first func()){
	"Token": func(cfg *gridnode.Config, first func()) {
		cfg.Token = func(context.Context, string) (string, error) { first(); return "", nil }
	},
	"Verify": func(cfg *gridnode.Config, first func()) {
		cfg.Verify = func(context.Context, string, string, *tls.ConnectionState) error { first(); return nil }
	},
	"Dial": func(cfg *gridnode.Config, first func()) {
		dial := cfg.Dial
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			first()
			return dial(ctx, network, addr)
		}
	},
}

// A panic of a callback ends that attempt, with the stack in the log; the node lives on
// and the next attempt connects.
func TestAPanicOfACallbackIsAnAttemptThatFailed(t *testing.T) {
	t.Parallel() // with other tests that only wait
	for name, with := range callbacks {
		t.Run(name, func(t *testing.T) {
			atOnce(t, links, func(t *testing.T, n *rig) {
				var log logLines
				var calls [2]atomic.Int64
				p := n.pair(t, log.option(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
					with(cfg, func() {
						if calls[i].Add(1) == 1 {
							panic("no idea")
						}
					})
				}))
				for _, conn := range []*gridnode.Connection{p.conn, p.back} {
					eventually(t, "the nodes connect", func() bool {
						resp, err := conn.Request(background, hEcho, []byte("x"))
						return err == nil && string(resp) == "x"
					})
				}
				if log.count("no idea") == 0 || log.count("callbacks_test.go") == 0 {
					t.Errorf("the log does not tell\n%s", strings.Join(log.all(), "\n"))
				}
			})
		})
	}
}

// A Dial that returns neither a connection nor an error.
func TestADialThatReturnsNothingIsAnError(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		c := n.cluster(t, 1, gridtest.WithPeers("http://a:1", "http://b:1", "http://c:1", "http://d:1"),
			config(func(cfg *gridnode.Config) {
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
			}))
		<-time.After(time.Minute)
		dialled := 0
		for _, peer := range c.Node(0).Peers() {
			if c.Node(0).Connection(peer).Err() != nil {
				dialled++
			}
		}
		if dialled == 0 {
			t.Error("no connection has an error")
		}
	})
}

// A callback that looks at nothing holds Close up for CloseTimeout, not for ever; and
// Close reports it until it has returned.
func TestCloseReportsACallbackThatDoesNotReturn(t *testing.T) {
	for name, with := range callbacks {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n *rig) {
				inside, release := make(chan int, 10), make(chan struct{})
				c := n.cluster(t, 2, gridtest.WithoutWait(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
					with(cfg, func() { inside <- i; <-release })
				}))
				i := receive(t, "the callback runs", inside)
				start := time.Now()
				if err := c.Node(i).Close(); err == nil {
					t.Error("Close did not report the callback")
				}
				n.wantWithin(t, "Close", start, 5*time.Second)
				if err := c.Node(i).Close(); err == nil {
					t.Error("the second Close did not report the callback")
				}
				if state := c.Conn(i, 1-i).State(); state != gridnode.StateClosed {
					t.Errorf("the state is %v after Close", state)
				}
				close(release)
				c.Stop(i) // closes once more, without an error
			})
		})
	}
}

// Close within a callback, which Close waits for.
func TestCloseWithinACallback(t *testing.T) {
	for name, with := range callbacks {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n *rig) {
				var c *gridtest.Cluster
				made, ended := make(chan struct{}), make(chan error, 1)
				var once atomic.Bool // or Stop would wait for a callback that waits for Stop
				c = n.cluster(t, 2, gridtest.WithoutWait(), gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
					with(cfg, func() {
						<-made
						if once.CompareAndSwap(false, true) {
							ended <- c.Node(i).Close()
						}
					})
				}))
				close(made)
				receive(t, "Close returns", ended)
				c.Stop(0)
				c.Stop(1)
			})
		})
	}
}

// What a later Close returns is as true as what the first does: nil when nothing is left.
func TestALaterCloseReportsHandlersThatStillRun(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		entered, release := make(chan struct{}, 1), make(chan struct{})
		p := n.pair(t, single(hOwn, func(context.Context, []byte) ([]byte, error) {
			entered <- struct{}{}
			<-release
			return nil, nil
		}))
		go p.conn.Request(background, hOwn, nil) // ends with Close
		receive(t, "the handler runs", entered)
		for range 2 {
			if err := p.Node(p.server).Close(); err == nil {
				t.Error("Close did not report the handler")
			}
		}
		close(release)
		p.Stop(p.server) // without an error
	})
}

// undeadlined is a connection that has no deadlines, as those through an SSH server have
// none.
type undeadlined struct{ net.Conn }

var errNoDeadlines = errors.New("deadlines are not supported")

func (undeadlined) SetDeadline(time.Time) error      { return errNoDeadlines }
func (undeadlined) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (undeadlined) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// The handshake is bounded over a connection without deadlines too, and Close ends it.
func TestAHandshakeWithoutDeadlinesIsBounded(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		var attempts atomic.Int64
		c := n.cluster(t, 1, gridtest.WithPeers("http://a:1", "http://b:1", "http://c:1", "http://d:1"),
			config(func(cfg *gridnode.Config) {
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
					attempts.Add(1)
					mute, far := net.Pipe()
					go io.Copy(io.Discard, far) // ends with mute
					return undeadlined{mute}, nil
				}
			}))
		<-time.After(time.Minute)
		if attempts.Load() < 8 { // 4 of them may be knocks
			t.Errorf("%d attempts in a minute: the first have not ended", attempts.Load())
		}
		start := time.Now()
		c.Stop(0)
		n.wantWithin(t, "Close", start, 0)
	})
}

// A call that was not sent because the last dial ran out of time has not itself run out
// of time, nor was it cancelled.
func TestNotSentIsNoTimeout(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		p.link().Stall()
		<-time.After(time.Minute)
		for _, conn := range []*gridnode.Connection{p.conn, p.back} {
			_, err := conn.Request(background, hEcho, nil)
			wantIs(t, err, gridnode.ErrNotSent)
			if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
				t.Errorf("%v is the end of a context", err)
			}
		}
	})
}
