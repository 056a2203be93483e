package gridnode

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
)

func TestConfigNeedsNothingButLocal(t *testing.T) {
	cfg, err := Config{Local: "http://Node1"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Local != "http://node1:80" || cfg.Path != "/grid/v1" || cfg.Dial == nil || cfg.Logger == nil {
		t.Errorf("%+v", cfg)
	}
	for name, ok := range map[string]bool{
		"HandshakeTimeout": cfg.HandshakeTimeout == 5*time.Second,
		"ReconnectMin":     cfg.ReconnectMin == 50*time.Millisecond,
		"ReconnectMax":     cfg.ReconnectMax == 5*time.Second,
		"CallTimeout":      cfg.CallTimeout == time.Minute,
		"PingAfter":        cfg.PingAfter == 3*time.Second,
		"DeadAfter":        cfg.DeadAfter == 8*time.Second,
		"CloseTimeout":     cfg.CloseTimeout == 5*time.Second,
		"MaxMessage":       cfg.MaxMessage == 64<<20,
		"MaxMuxesPerPeer":  cfg.MaxMuxesPerPeer == 131072,
		"MaxMuxes":         cfg.MaxMuxes == 524288,
		"Window":           cfg.Window == 512<<10,
		"ReceiveBudget":    cfg.ReceiveBudget == 256<<20,
		"QueueLimit":       cfg.QueueLimit == 1<<20,
	} {
		if !ok {
			t.Errorf("%s is not what its comment says", name)
		}
	}
}

func TestConfigKeepsWhatIsSet(t *testing.T) {
	in := Config{Local: "http://a:1", Path: "/x", CallTimeout: -1, PingAfter: time.Second, DeadAfter: 2 * time.Second, MaxMessage: 1, QueueLimit: fragmentSize}
	cfg, err := in.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Path != "/x" || cfg.CallTimeout != -1 || cfg.PingAfter != time.Second || cfg.DeadAfter != 2*time.Second || cfg.MaxMessage != 1 || cfg.QueueLimit != fragmentSize {
		t.Errorf("%+v", cfg)
	}
}

func TestConfigIsCopied(t *testing.T) {
	peers := []string{"http://a:1", "http://b:1"}
	m, err := NewManager(Config{Local: "http://a:1", Peers: peers})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	peers[1] = "http://c:1"
	if m.Connection("http://b:1") == nil || m.Connection("http://c:1") != nil {
		t.Error("the caller's slice is still used")
	}
	m.Peers()[0] = "http://d:1"
	if m.Peers()[0] != "http://b:1" {
		t.Error("Peers gives the node's own slice away")
	}
}

func TestBadConfigNamesTheFieldAndTheReason(t *testing.T) {
	base := func(f func(*Config)) Config {
		c := Config{Local: "http://a:1", Peers: []string{"http://a:1", "http://b:1"}}
		f(&c)
		return c
	}
	for _, c := range []struct {
		field, reason string
		cfg           Config
	}{
		{"Local", "empty", Config{}},
		{"Local", "scheme", base(func(c *Config) { c.Local = "a:1" })},
		{"Peers[1]", "no host", base(func(c *Config) { c.Peers[1] = "http://:80" })},
		{"Peers[2]", "twice", base(func(c *Config) { c.Peers = append(c.Peers, "http://B:1/") })},
		{"Path", "slash", base(func(c *Config) { c.Path = "grid" })},
		{"HandshakeTimeout", "negative", base(func(c *Config) { c.HandshakeTimeout = -1 })},
		{"ReconnectMin", "negative", base(func(c *Config) { c.ReconnectMin = -1 })},
		{"ReconnectMax", "negative", base(func(c *Config) { c.ReconnectMax = -1 })},
		{"ReconnectMax", "below ReconnectMin", base(func(c *Config) { c.ReconnectMin = time.Hour })},
		{"PingAfter", "negative", base(func(c *Config) { c.PingAfter = -1 })},
		{"DeadAfter", "negative", base(func(c *Config) { c.DeadAfter = -1 })},
		{"DeadAfter", "not above PingAfter", base(func(c *Config) { c.PingAfter = time.Minute })},
		{"DeadAfter", "below 30ms", base(func(c *Config) { c.PingAfter, c.DeadAfter = time.Millisecond, 30*time.Millisecond-1 })},
		{"CloseTimeout", "negative", base(func(c *Config) { c.CloseTimeout = -1 })},
		{"MaxMessage", "below 1", base(func(c *Config) { c.MaxMessage = -1 })},
		{"MaxMessage", "above", base(func(c *Config) { c.MaxMessage = maxMessageLimit + 1 })},
		{"MaxMuxesPerPeer", "below 1", base(func(c *Config) { c.MaxMuxesPerPeer = -1 })},
		{"MaxMuxes", "below 1", base(func(c *Config) { c.MaxMuxes = -1 })},
		{"Window", "below 131072", base(func(c *Config) { c.Window = 1 })},
		{"ReceiveBudget", "below 1", base(func(c *Config) { c.ReceiveBudget = -1 })},
		{"QueueLimit", "below 65536", base(func(c *Config) { c.QueueLimit = 1 })},
		{"QueueLimit", "above", base(func(c *Config) { c.QueueLimit = math.MaxInt })},
	} {
		m, err := NewManager(c.cfg)
		if err == nil {
			t.Errorf("%s (%s): no error", c.field, c.reason)
			m.Close()
			continue
		}
		if text := err.Error(); !strings.Contains(text, "Config."+c.field+":") || !strings.Contains(text, c.reason) {
			t.Errorf("%s (%s): %v", c.field, c.reason, err)
		}
	}
}

// startLog starts and closes a node and returns what it logged.
func startLog(t *testing.T, cfg Config) string {
	t.Helper()
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	m, err := NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

func TestStartWarnsWhenAnybodyMayClaimAnyName(t *testing.T) {
	const warning = "Config.Verify is not set"
	verify := func(ctx context.Context, peer, token string, tls *tls.ConnectionState) error { return nil }
	if log := startLog(t, Config{Local: "http://127.0.0.1:1"}); strings.Contains(log, warning) {
		t.Error("warned though all is loopback:", log)
	}
	if log := startLog(t, Config{Local: "http://10.255.255.1:1"}); strings.Count(log, warning) != 1 {
		t.Error("want one warning:", log)
	}
	if log := startLog(t, Config{Local: "http://10.255.255.1:1", Verify: verify}); strings.Contains(log, warning) {
		t.Error("warned though Verify is set:", log)
	}
}
