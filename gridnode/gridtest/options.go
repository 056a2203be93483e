package gridtest

import (
	"fmt"

	"github.com/actorgrid/actorgrid/gridnode"
)

// Network is what connects the nodes of a cluster.
type Network uint8

// The networks.
const (
	Memory Network = iota // in memory; works inside testing/synctest bubbles
	TCP                   // loopback TCP: the event loop's transport
	TLS                   // loopback TCP with TLS
)

func (n Network) String() string {
	names := [...]string{"memory", "tcp", "tls"}
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("Network(%d)", uint8(n))
}

// Option changes how NewCluster builds a cluster.
type Option func(*settings)

type settings struct {
	network  Network
	peers    []string
	config   []func(i int, cfg *gridnode.Config)
	handlers []func(i int, m *gridnode.Manager) error
	wait     bool
}

// WithNetwork chooses the network. The default is Memory.
func WithNetwork(n Network) Option { return func(s *settings) { s.network = n } }

// WithConfig lets f change the configuration of each node before it is built. Local,
// Peers, Dial and TLS are set already; CloseTimeout is the default. Several are
// called in the order given. f is called again when a node is restarted.
func WithConfig(f func(i int, cfg *gridnode.Config)) Option {
	return func(s *settings) { s.config = append(s.config, f) }
}

// WithHandlers lets f register the handlers of each node before it is started. An
// error fails the test. f is called again when a node is restarted.
func WithHandlers(f func(i int, m *gridnode.Manager) error) Option {
	return func(s *settings) { s.handlers = append(s.handlers, f) }
}

// WithPeers adds names to the Peers of every node for which the cluster starts no
// node: the test plays them, see Cluster.Listen and Cluster.Dial. NewCluster does
// not wait for them.
func WithPeers(names ...string) Option {
	return func(s *settings) { s.peers = append(s.peers, names...) }
}

// WithoutWait makes NewCluster return without waiting for the nodes to connect.
func WithoutWait() Option { return func(s *settings) { s.wait = false } }
