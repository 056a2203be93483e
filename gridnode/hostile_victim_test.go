package gridnode_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// victim is a grid whose node 0 is attacked. Node 1 is a bystander, which must not
// notice. dialler and acceptor are names of peers that the test plays.
type victim struct {
	*gridtest.Cluster
	dialler, acceptor string
	log               *lockedBuffer // of node 0, from Info on
	settle            func()        // waits until nothing moves any more, where that can be told
}

// The handlers of a victim.
const (
	hSink       gridnode.HandlerID = 110 + iota // stream, in 2, out 2: waits for the end of its context
	hSource                                     // stream, out 2: sends for ever
	hTiny                                       // single with a short response
	hTinyInline                                 // the same, called by the reader
	hBulkInline                                 // single with a response of 20,000 bytes, called by the reader
)

func registerVictim(_ int, m *gridnode.Manager) error {
	registerAll(m)
	return errors.Join(
		m.RegisterMux(hSink, gridnode.MuxHandler{InCapacity: 2, OutCapacity: 2, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}),
		m.RegisterMux(hSource, gridnode.MuxHandler{OutCapacity: 2, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for {
				if err := st.Send(ctx, []byte("x")); err != nil {
					return err
				}
			}
		}}),
		m.RegisterSingle(hTiny, func(context.Context, []byte) ([]byte, error) { return []byte("ok"), nil }),
		m.RegisterSingleInline(hTinyInline, func(context.Context, []byte) ([]byte, error) { return []byte("ok"), nil }),
	)
}

// onMemory runs a test in a bubble with a victim on the in-memory network.
func onMemory(t *testing.T, f func(t *testing.T, v *victim), opts ...gridtest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := newVictim(t, gridtest.Memory, opts...)
		v.settle = synctest.Wait
		f(t, v)
		v.unharmed(t)
	})
}

// onAll runs a test on the in-memory network, on TCP and with TLS.
func onAll(t *testing.T, f func(t *testing.T, v *victim), opts ...gridtest.Option) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { onMemory(t, f, opts...) })
	for _, n := range []gridtest.Network{gridtest.TCP, gridtest.TLS} {
		t.Run(n.String(), func(t *testing.T) {
			v := newVictim(t, n, opts...)
			f(t, v)
			v.unharmed(t)
		})
	}
}

func newVictim(t *testing.T, n gridtest.Network, opts ...gridtest.Option) *victim {
	t.Helper()
	scheme := "http://"
	if n == gridtest.TLS {
		scheme = "https://"
	}
	node := scheme + "node0:9000"
	name := func(wanted func(peer string) bool) string {
		for i := 0; ; i++ {
			if peer := fmt.Sprintf("%speer%d:9000", scheme, i); wanted(peer) {
				return peer
			}
		}
	}
	v := &victim{
		log:      &lockedBuffer{},
		settle:   func() {},
		dialler:  name(func(peer string) bool { return gridnode.Dials(peer, node) }),
		acceptor: name(func(peer string) bool { return gridnode.Dials(node, peer) }),
	}
	v.Cluster = gridtest.NewCluster(t, 2, append([]gridtest.Option{
		gridtest.WithNetwork(n),
		gridtest.WithPeers(v.dialler, v.acceptor),
		gridtest.WithHandlers(registerVictim),
		gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
			if i == 1 {
				cfg.Peers = cfg.Peers[:2] // the bystander knows only the nodes
			} else {
				cfg.Logger = slog.New(slog.NewTextHandler(v.log, nil))
			}
		}),
	}, opts...)...)
	return v
}

// conn is the victim's connection to a peer that the test plays.
func (v *victim) conn(name string) *gridnode.Connection { return v.Node(0).Connection(name) }

// unharmed wants that the bystander's connection has never been lost and serves, both
// ways.
func (v *victim) unharmed(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), rawPatience)
	defer cancel()
	for from := range 2 {
		conn := v.Conn(from, 1-from)
		if resp, err := conn.Request(ctx, hEcho, []byte("alive")); err != nil || string(resp) != "alive" {
			t.Errorf("the bystander, from node %d: %q, %v", from, resp, err)
		}
		if n := conn.Stats().Sessions; n != 1 {
			t.Errorf("the bystander needed %d sessions, from node %d", n, from)
		}
	}
	if strings.Contains(v.log.String(), "internal panic") {
		t.Errorf("a panic:\n%s", v.log.String())
	}
}

// eventually polls until ok, no longer than rawPatience.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	deadline := time.After(rawPatience)
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", rawPatience, what)
		}
	}
}

func (v *victim) waitConnected(t testing.TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), rawPatience)
	defer cancel()
	if err := v.conn(name).WaitForConnect(ctx); err != nil {
		t.Fatal(err)
	}
}

// waitLost waits for the end of the victim's session with a peer and returns why it
// ended.
func (v *victim) waitLost(t testing.TB, name string) error {
	t.Helper()
	conn := v.conn(name)
	eventually(t, "the loss of "+name, func() bool { return conn.State() != gridnode.StateConnected })
	return conn.Err()
}

// idle wants that nothing of the played peer is left: no mux, no byte.
func (v *victim) idle(t testing.TB, name string) {
	t.Helper()
	eventually(t, "rest", func() bool {
		st := v.conn(name).Stats()
		return v.Node(0).ServedMuxes() == 0 && st.ServingCalls+st.ServingStreams+st.HeldBytes+st.Calls+st.Streams == 0
	})
}

// lines counts the lines of the victim's log that hold text.
func (v *victim) lines(text string) int { return strings.Count(v.log.String(), text) }

// target returns the victim's index of a handler.
func (p *rawPeer) target(id gridnode.HandlerID) uint32 {
	p.t.Helper()
	for i, h := range p.said.Handlers {
		if h.ID == uint16(id) {
			return uint32(i)
		}
	}
	p.t.Fatalf("handler %d was not announced", id)
	return 0
}

func (p *rawPeer) request(mux uint64, id gridnode.HandlerID, payload []byte) frames.Frame {
	return frames.Frame{Op: frames.OpRequest, Mux: mux, Target: p.target(id), Payload: payload}
}

func (p *rawPeer) open(mux uint64, id gridnode.HandlerID, credit uint64) frames.Frame {
	return frames.Frame{Op: frames.OpOpen, Mux: mux, Target: p.target(id), Credit: credit}
}

func data(mux uint64, text string) frames.Frame {
	return frames.Frame{Op: frames.OpData, Mux: mux, Payload: []byte(text)}
}
