package memnet

import "net"

// Addr is the address of a listener or of one end of a connection: "host:port".
type Addr string

// Network returns "tcp", which this network stands in for.
func (Addr) Network() string { return "tcp" }

func (a Addr) String() string { return string(a) }

// hostOf returns the host of an address, or the name if it is the name of a host.
func hostOf(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}
