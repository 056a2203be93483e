package gridnode

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const wantName = "want http://host:port or https://host:port"

// normalName checks a node's name and brings it to the one form that is compared
// and sent: lower case, no path, an explicit port.
func normalName(name string) (string, error) {
	if name == "" {
		return "", errors.New("empty; " + wantName)
	}
	u, err := url.Parse(name)
	if err != nil {
		var reason *url.Error // whose text has the name again
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return "", fmt.Errorf("%q: %w; %s", name, err, wantName)
	}
	port := ""
	switch u.Scheme {
	case "http":
		port = "80"
	case "https":
		port = "443"
	default:
		return "", fmt.Errorf("%q: the scheme is not http or https; %s", name, wantName)
	}
	if u.Hostname() == "" {
		return "", fmt.Errorf("%q: no host", name)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return "", fmt.Errorf("%q: only a scheme, a host and a port are allowed", name)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%q: port %s is not within 1 and 65535", name, port)
	}
	host := net.JoinHostPort(normalHost(u.Hostname()), strconv.FormatUint(n, 10))
	return (&url.URL{Scheme: u.Scheme, Host: host}).String(), nil
}

// normalHost is a host in lower case, or an address in the form of RFC 5952; its zone
// is the name of an interface, whose case counts.
func normalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String()
	}
	return strings.ToLower(host)
}

// hostPort is the address part of a normal name.
func hostPort(name string) string {
	_, addr, _ := strings.Cut(name, "://")
	return addr
}

// dials tells whether local is the side that dials remote. Both sides compute the
// same answer; over many names each node dials close to half of its peers.
func dials(local, remote string) bool {
	low, high := local, remote
	if low > high {
		low, high = high, low
	}
	h := fnv.New64a()
	h.Write([]byte(low))
	h.Write([]byte{0})
	h.Write([]byte(high))
	lowDials := mix(h.Sum64())&1 == 0
	return lowDials == (local == low)
}

// mix is the finaliser of SplitMix64: FNV's low bits alone depend on little more
// than the last characters.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// isLoopback reports whether a normal name certainly stays on this machine.
func isLoopback(name string) bool {
	host, _, err := net.SplitHostPort(hostPort(name))
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
