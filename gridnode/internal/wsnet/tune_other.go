//go:build !linux

package wsnet

import "net"

// tuneSocket does nothing where TCP_NOTSENT_LOWAT is not at hand, and nothing polls for
// urgent data.
func tuneSocket(*net.TCPConn) {}

// unacked returns 0, where the number is not at hand.
func unacked(int) int { return 0 }
