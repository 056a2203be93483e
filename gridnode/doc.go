// Package gridnode connects servers to each other: one two-way WebSocket
// connection between each pair of nodes, over which both sides issue and serve
// many calls at once.
//
// A node is a [Manager]. It dials the peers that are its to dial, accepts the
// others, and keeps one [Connection] per peer for as long as it lives. Calls are
// of two kinds:
//
//   - a single, [Connection.Request]: one request, one response;
//   - a stream, [Connection.OpenMux] (methods) or [Connection.NewStream]
//     (channels): an initial payload, then messages both ways.
//
// Handlers are registered before [Manager.Start] and run in goroutines of the
// node, one per call. Every call ends in exactly one of: result, remote error,
// deadline, cancellation, disconnected, overloaded.
//
// # Reading order
//
// A single travels connection.go, call.go, session_out.go on the calling side;
// session_in.go, serve_single.go and session_out.go on the serving side; and
// session_in.go, call.go back. DESIGN.md in this directory has the picture.
package gridnode
