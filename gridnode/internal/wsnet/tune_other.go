//go:build !linux

package wsnet

import "net"

// limitUnsent does nothing where TCP_NOTSENT_LOWAT is not at hand.
func limitUnsent(*net.TCPConn) {}

// unacked returns 0, where the number is not at hand.
func unacked(int) int { return 0 }
