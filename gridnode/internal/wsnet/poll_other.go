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

func startTCP(_ *Net, l *Link, conn *net.TCPConn, leftover []byte, bind func(Conn) Handler) error {
	startStream(l, conn, leftover, bind)
	return nil
}
