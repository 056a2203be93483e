package gridnode

import (
	"errors"
	"math"
	"net"
	"strings"
	"testing"
	"time"
)

// What no peer could ever work with is refused by the constructor, with the field.
func TestConfigLimitsHaveAnUpperEnd(t *testing.T) {
	for _, c := range []struct {
		field string
		spoil func(*Config)
	}{
		{"MaxMuxes", func(c *Config) { c.MaxMuxes = math.MaxInt }},
		{"Window", func(c *Config) { c.Window = math.MaxInt }},
		{"Path", func(c *Config) { c.Path = "/grid?v=1" }},
		{"Path", func(c *Config) { c.Path = "/grid#v1" }},
		{"Path", func(c *Config) { c.Path = "/grid v1\r\nHost: evil" }},
		{"Local", func(c *Config) { c.Local = "http://a:99999" }},
		{"Local", func(c *Config) { c.Local = "http://a:x" }},
		{"Local", func(c *Config) { c.Local = "http://u:p@a:1" }},
		{"Peers[0]", func(c *Config) { c.Peers = []string{"http://a:0"} }},
		{"Peers[1]", func(c *Config) { c.Peers = []string{"http://b:1", ""} }},
	} {
		cfg := Config{Local: "http://a:1"}
		c.spoil(&cfg)
		m, err := NewManager(cfg)
		if err == nil {
			t.Errorf("Config.%s: no error: Path %q, Window %d, MaxMuxes %d, Local %q", c.field, cfg.Path, cfg.Window, cfg.MaxMuxes, cfg.Local)
			m.Close()
			continue
		}
		if !strings.HasPrefix(err.Error(), "gridnode: Config."+c.field+": ") {
			t.Errorf("Config.%s: %v", c.field, err)
		}
	}
}

// The pauses between attempts stay within their limits for ever. All are too long for a
// timer to fire while the test plays the actor.
func TestBackoffNeverOverflows(t *testing.T) {
	for _, least := range []time.Duration{20 * time.Second, time.Minute, time.Hour, 1000 * time.Hour} {
		m, err := NewManager(Config{Local: "http://127.0.0.1:1", Peers: []string{"http://127.0.0.1:2", "http://127.0.0.1:3", "http://127.0.0.1:4"}, ReconnectMin: least, ReconnectMax: 2000 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var c *Connection
		for _, name := range m.Peers() {
			if c = m.Connection(name); c.dials {
				break
			}
		}
		if !c.dials {
			t.Fatal("none of the peers is dialled")
		}
		for range 100 {
			c.receive(connEvent{kind: eventFailed, err: errors.New("refused")})
		}
		c.retry.Stop()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// deafListener cannot listen.
type deafListener struct{ net.Listener }

func (deafListener) Accept() (net.Conn, error) { return nil, errors.New("out of sockets") }

func TestServeOnAListenerThatCannotListenIsAnError(t *testing.T) {
	m := unstarted(t)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Serve(deafListener{l}); err == nil || !strings.Contains(err.Error(), "out of sockets") {
		t.Error(err)
	}
	if err := m.Serve(l); err == nil { // closed by the first Serve
		t.Error("served a closed listener")
	}
	if conn := m.Connection(m.Local()); conn.WaitForConnect(t.Context()) != nil {
		t.Errorf("the node itself is no more: %v", conn.Err())
	}
}
