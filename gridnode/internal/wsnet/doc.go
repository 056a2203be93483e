// Package wsnet is every line that knows nbio or RFC 6455. It opens WebSocket
// connections (client and server side) as blocking Links, and hands them to one of
// two transports behind one interface: nbio's event loop for TCP, plain or below the
// standard library's TLS, which costs no goroutine per connection, or a reader and a
// writer goroutine for everything else (wrapped and foreign connections, and TLS of
// servers that do not use Listen).
//
// Of nbio only the engine is used: its poller, its non-blocking write. The opening
// handshake is gobwas/ws's; the framing of messages is this package's own, in the
// engine's data callback.
package wsnet
