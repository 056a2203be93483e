//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package wsnet

import (
	"context"
	"net"
)

// Net is one node's use of this package. There is nothing to hold here: nbio has no
// event loop for this system, but a goroutine and a buffer per connection.
type Net struct{}

// Close does nothing.
func (n *Net) Close() {}

// Drain has nothing to wait for.
func Drain(context.Context) error { return nil }

// Listen returns l.
func Listen(l net.Listener) net.Listener { return l }

func underTLS(conn net.Conn) net.Conn { return conn }

func pollable(net.Conn) *net.TCPConn { return nil }

func startTCP(*Net, *Link, *net.TCPConn, []byte, func(Conn) Handler) error {
	panic("unreachable: nothing is pollable")
}
