package gridnode

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config describes a node. A zero value is usable but for Local; NewManager
// copies it and fills in the defaults.
type Config struct {
	Local string   // this node, as its peers dial it: "http://host:port" or "https://host:port"
	Peers []string // every node of the grid, in the same form; Local may be among them
	Path  string   // request path, default "/grid/v1"; a new protocol gets a new path

	// Dial opens the transport, default net.Dialer. It must honour ctx. A
	// *net.TCPConn goes to the event loop, with TLS or without, anything else costs two
	// goroutines.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS  *tls.Config // for dialling https peers; nil means the defaults of crypto/tls

	// Token gives the credential that is shown to peer; default none. It is called
	// once per attempt to connect and for the answer to an accepted peer.
	Token func(ctx context.Context, peer string) (string, error)

	// Verify tells whether a credential proves that name. Nil accepts every name in
	// Peers, which is for trusted networks only: Start logs a warning then, unless
	// all addresses are loopback. tls is nil on a link without TLS.
	Verify func(ctx context.Context, peer, token string, tls *tls.ConnectionState) error

	Logger *slog.Logger // silent by default

	HandshakeTimeout time.Duration // dial, upgrade and hello together; default 5 s
	ReconnectMin     time.Duration // pause after the first failed redial, doubled each time; default 50 ms
	ReconnectMax     time.Duration // longest pause between redials; default 5 s
	CallTimeout      time.Duration // for singles whose context has no deadline; default 1 min, negative: none
	PingAfter        time.Duration // silence after which the peer is pinged; default 3 s
	DeadAfter        time.Duration // silence, or write stall, after which the link is lost; default 8 s; above PingAfter, and at least 30 ms
	CloseTimeout     time.Duration // how long Close waits for handlers to return; default 5 s

	MaxMessage      int // bytes of one payload, sent or received; default 64 MiB, at most 1 GiB
	MaxMuxesPerPeer int // calls and streams that one peer may have open here; default 131072
	MaxMuxes        int // the same for all peers together; default 524288, at most 268435456
	Window          int // bytes of large payloads in flight per connection and direction, a quarter of it (128 KiB at least) beside small calls, unless a ping has taken 0.5 ms; on long links more than bandwidth times round trip; default 512 KiB, at most 1 GiB
	ReceiveBudget   int // bytes received and not yet taken by handlers or callers, per connection; default 256 MiB
	QueueLimit      int // bytes waiting to be written per connection before senders wait; default 1 MiB, at most 1 GiB
}

const (
	maxMessageLimit  = 1 << 30
	maxWindow        = 1 << 30
	maxMuxesLimit    = 1 << 28
	maxQueueLimit    = 1 << 30
	maxHandshakeSize = 64 << 10 // bytes of one hello, accept or refusal
)

// withDefaults validates c and returns a copy in which every field is set.
func (c Config) withDefaults() (Config, error) {
	var err error
	if c.Local, err = normalName(c.Local); err != nil {
		return c, fmt.Errorf("gridnode: Config.Local: %w", err)
	}
	peers := make([]string, 0, len(c.Peers))
	seen := map[string]bool{}
	for i, p := range c.Peers {
		name, err := normalName(p)
		if err != nil {
			return c, fmt.Errorf("gridnode: Config.Peers[%d]: %w", i, err)
		}
		if seen[name] {
			return c, fmt.Errorf("gridnode: Config.Peers[%d]: %q is listed twice", i, name)
		}
		seen[name] = true
		peers = append(peers, name)
	}
	c.Peers = peers
	if c.Path == "" {
		c.Path = "/grid/v1"
	}
	if u, err := url.Parse(c.Path); err != nil || !strings.HasPrefix(c.Path, "/") || u.EscapedPath() != c.Path {
		return c, fmt.Errorf("gridnode: Config.Path: %q is not a plain path that starts with a slash", c.Path)
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := c.defaultTimes(); err != nil {
		return c, err
	}
	return c, c.defaultLimits()
}

func (c *Config) defaultTimes() error {
	for _, f := range []struct {
		name  string
		field *time.Duration
		value time.Duration
	}{
		{"HandshakeTimeout", &c.HandshakeTimeout, 5 * time.Second},
		{"ReconnectMin", &c.ReconnectMin, 50 * time.Millisecond},
		{"ReconnectMax", &c.ReconnectMax, 5 * time.Second},
		{"PingAfter", &c.PingAfter, 3 * time.Second},
		{"DeadAfter", &c.DeadAfter, 8 * time.Second},
		{"CloseTimeout", &c.CloseTimeout, 5 * time.Second},
	} {
		if *f.field < 0 {
			return fmt.Errorf("gridnode: Config.%s: %v is negative", f.name, *f.field)
		}
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = time.Minute
	}
	if c.ReconnectMax < c.ReconnectMin {
		return fmt.Errorf("gridnode: Config.ReconnectMax: %v is below ReconnectMin, %v", c.ReconnectMax, c.ReconnectMin)
	}
	if c.DeadAfter <= c.PingAfter {
		return fmt.Errorf("gridnode: Config.DeadAfter: %v is not above PingAfter, %v", c.DeadAfter, c.PingAfter)
	}
	if least := 3 * minTick; c.DeadAfter < least { // what a tick finds waiting may have come just now
		return fmt.Errorf("gridnode: Config.DeadAfter: %v is below %v", c.DeadAfter, least)
	}
	return nil
}

func (c *Config) defaultLimits() error {
	for _, f := range []struct {
		name       string
		field      *int
		value, min int
	}{
		{"MaxMessage", &c.MaxMessage, 64 << 20, 1},
		{"MaxMuxesPerPeer", &c.MaxMuxesPerPeer, 131072, 1},
		{"MaxMuxes", &c.MaxMuxes, 524288, 1},
		{"Window", &c.Window, 512 << 10, 2 * fragmentSize},
		{"ReceiveBudget", &c.ReceiveBudget, 256 << 20, 1},
		{"QueueLimit", &c.QueueLimit, 1 << 20, fragmentSize},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
		if *f.field < f.min {
			return fmt.Errorf("gridnode: Config.%s: %d is below %d", f.name, *f.field, f.min)
		}
	}
	if c.MaxMessage > maxMessageLimit {
		return fmt.Errorf("gridnode: Config.MaxMessage: %d is above %d", c.MaxMessage, maxMessageLimit)
	}
	if c.Window > maxWindow {
		return fmt.Errorf("gridnode: Config.Window: %d is above %d", c.Window, maxWindow)
	}
	if c.MaxMuxes > maxMuxesLimit {
		return fmt.Errorf("gridnode: Config.MaxMuxes: %d is above %d", c.MaxMuxes, maxMuxesLimit)
	}
	if c.QueueLimit > maxQueueLimit {
		return fmt.Errorf("gridnode: Config.QueueLimit: %d is above %d", c.QueueLimit, maxQueueLimit)
	}
	return nil
}
