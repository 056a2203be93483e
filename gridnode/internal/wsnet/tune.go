package wsnet

import (
	"crypto/tls"
	"net"
)

// tune prepares the socket under conn, if there is one, for small frames.
func tune(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(true) // these are improvements, not needs
		tuneSocket(tcp)
	}
}
