package wsnet

import "time"

// Conn is a live WebSocket. Its methods may be called by any goroutine at any time.
type Conn interface {
	// Send sends buf[HeaderSpace:] as one binary message. The header is written in
	// place in front of it. It never waits: what the socket does not take is queued
	// and counted by Pending. The bound is the caller's; TLS has one of its own,
	// mostSealed. buf may be reused after the return. After the end it returns the
	// connection's error, and before Start has got the transport going another one.
	Send(buf []byte) error
	// Pending returns how many bytes Send has taken that the socket has not.
	Pending() int
	// LastRead and LastWrite return when bytes last came or went, as Now has it.
	LastRead() time.Duration
	LastWrite() time.Duration
	// Unread reports whether bytes, or the end, have come that nobody has read yet, and
	// Room whether the socket has room for what is pending: then the connection waits for
	// this process, and not for the peer. Unacked returns how many bytes the socket has
	// that the peer's has not taken yet, where that is known: it moves on a slow link long
	// before LastWrite does. Each costs a system call.
	Unread() bool
	Room() bool
	Unacked() int
	// Close ends the connection with its first error, and drops what is pending. If
	// nothing is, the peer is told by a close frame. Handler.Closed is called later,
	// from another stack. It is idempotent and does not wait.
	Close(err error)
}

// Handler is what a connection's events go to. Its methods are called one at a
// time, but for Writable. None may wait: many connections share a poller.
type Handler interface {
	// Message is called for each binary message, in order. msg is borrowed until the
	// return, and may be changed. An error ends the connection.
	Message(msg []byte) error
	// BatchEnd is called after the messages of one read.
	BatchEnd()
	// Writable is called when a connection that had more than congested bytes
	// pending has few again. The transport's lock is held: it must neither wait nor
	// call Send or Close.
	Writable()
	// Closed is called once, after everything else.
	Closed(err error)
}

const (
	congested = 64 << 10 // bytes pending from which on Writable is owed
	drained   = 32 << 10 // bytes pending at which it is paid
)

// epoch is when the clock of Now started. It is the monotonic clock of this process
// and the same for all connections.
var epoch = time.Now()

// Now returns the time on the clock of LastRead and LastWrite.
func Now() time.Duration { return time.Since(epoch) }

// Time turns a time on the clock of Now into a time of this process, with its
// monotonic reading.
func Time(now time.Duration) time.Time { return epoch.Add(now) }
