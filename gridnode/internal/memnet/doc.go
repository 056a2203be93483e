// Package memnet is a network inside the process, for tests: listeners and
// connections that behave like those of TCP, between named hosts, over links that
// can be cut, delayed, throttled, stalled, partitioned and made to corrupt a byte.
//
//	n := memnet.New()
//	l, err := n.Listen("b:80")
//	c, err := n.Host("a").Dial(ctx, "tcp", "b:80")
//	n.Link("a", "b").CutAfter(100)
//
// # Time
//
// The package blocks only on channels and timers, and never with a mutex held, so
// that under testing/synctest a network made in a bubble is deterministic: delays
// are exact and cost nothing. It starts no goroutine that outlives a call; bytes
// that are on their way are moved by timers, which end with their connection.
//
// # What a connection promises
//
// Bytes arrive in order, at the latest when the link lets them. A write returns when
// all its bytes are in the connection's window, which each byte leaves when it is
// read, and copies them: the caller may reuse its buffer. Close lets the bytes that
// are on their way arrive, then the peer reads io.EOF, and its writes fail with
// syscall.EPIPE from then on. A connection that is cut loses what is on its way;
// what had arrived can be read still; then reads fail with syscall.ECONNRESET, and
// writes do at once. An expired deadline wins over bytes that are there.
//
// # Limitations
//
// A link treats both its directions alike. Making a connection takes no time unless
// the link is stalled, and a writer knows at once when a read has made room, whatever
// the link does. Nothing is reordered or lost but by a cut.
package memnet
