package gridtest_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func TestAConfigThatIsWrongFailsTheTest(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			cluster(tb, 2, kind, gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
				if i == 1 {
					cfg.Path = "no slash"
				}
			}))
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: node 1: gridnode: Config.Path")
	})
}

func TestAHandlerThatCannotBeRegisteredFailsTheTest(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			cluster(tb, 2, kind, gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
				if i == 1 {
					return echoing(i, m) // a second time
				}
				return nil
			}))
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: handlers of node 1: gridnode: handler 1")
	})
}

func TestANodeThatDoesNotStartFailsTheTest(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			cluster(tb, 2, kind, gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
				if i == 1 {
					return m.Close() // Start fails after it
				}
				return nil
			}))
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: start of node 1: ")
	})
}

func TestAnAddressInUseFailsTheTest(t *testing.T) {
	on(t, []gridtest.Network{gridtest.Memory}, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			c := cluster(tb, 2, kind)
			c.Stop(1)
			l, err := c.Listen(c.Name(1))
			if err != nil {
				tb.Fatalf("%v", err)
			}
			defer l.Close()
			c.Start(1)
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: node 1: listen")
	})
}

func TestStartOfARunningNodeFailsTheTest(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			c := cluster(tb, 2, kind)
			c.Start(1)
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: node 1")
	})
}

func TestNodesThatDoNotConnectFailTheTest(t *testing.T) {
	on(t, []gridtest.Network{gridtest.Memory}, func(t *testing.T, kind gridtest.Network) {
		wantFailures(t, func(tb testing.TB) {
			cluster(tb, 2, kind, gridtest.WithConfig(func(_ int, cfg *gridnode.Config) {
				cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no carrier") }
			}))
			tb.Errorf("the test goes on")
		}, "fatal: gridtest: node 0 to node 1: context deadline exceeded")
	})
}

func TestAnErrorOfCloseFailsTheTest(t *testing.T) {
	const stuck gridnode.HandlerID = 2
	on(t, []gridtest.Network{gridtest.Memory}, func(t *testing.T, kind gridtest.Network) {
		for _, atEnd := range []bool{false, true} {
			entered, release := make(chan struct{}), make(chan struct{})
			wantFailures(t, func(tb testing.TB) {
				tb.Cleanup(func() { close(release) })
				c := cluster(tb, 2, kind, gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
					return m.RegisterSingle(stuck, func(context.Context, []byte) ([]byte, error) {
						close(entered)
						<-release
						return nil, nil
					})
				}))
				go c.Conn(0, 1).Request(context.Background(), stuck, nil) // ends with the node
				<-entered
				if !atEnd {
					c.Stop(1)
				}
			}, "gridtest: Close of node 1: ")
		}
	})
}
