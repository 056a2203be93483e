// Package wsnet is every line that knows nbio or RFC 6455. It opens WebSocket
// connections (client and server side) as blocking Links, and hands them to one of
// two transports behind one interface: nbio's event loop for plain TCP, which costs
// no goroutine per connection, or a reader and a writer goroutine for everything
// else (TLS, wrapped and foreign connections).
//
// Of nbio only the engine is used: its poller, its non-blocking write. The opening
// handshake is gobwas/ws's; the framing of messages is this package's own, in the
// engine's data callback.
package wsnet
