package scenario

import "fmt"

// Limits of Config.
const (
	MinNodes   = 2
	MaxNodes   = 512
	MaxSize    = 16 << 20
	MaxCallers = 65536
)

// Config describes a grid. Zero values mean the defaults.
type Config struct {
	Nodes  int  // 2 to 512; default 8
	Size   int  // bytes of each request, response and message, up to 16 MiB
	Window int  // messages in flight per stream and direction; default 64
	TLS    bool // https links, with a certificate made for the run

	Processes bool // a process for every node but the first, which stays in this one

	// Progress is told how many nodes are connected; nil: nobody.
	Progress func(connected, nodes int) `json:"-"`
}

func (c Config) withDefaults() (Config, error) {
	if c.Nodes == 0 {
		c.Nodes = 8
	}
	if c.Window == 0 {
		c.Window = 64
	}
	if c.Progress == nil {
		c.Progress = func(int, int) {}
	}
	if c.Nodes < MinNodes || c.Nodes > MaxNodes {
		return c, fmt.Errorf("%d nodes: not within %d and %d", c.Nodes, MinNodes, MaxNodes)
	}
	if c.Size < 0 || c.Size > MaxSize {
		return c, fmt.Errorf("%d bytes: not within 0 and %d", c.Size, MaxSize)
	}
	if c.Window < 1 {
		return c, fmt.Errorf("window %d: below 1", c.Window)
	}
	return c, nil
}

// scheme of the nodes' names.
func (c Config) scheme() string {
	if c.TLS {
		return "https://"
	}
	return "http://"
}
