package wsnet

import (
	"errors"
	"fmt"
	"time"
)

// HeaderSpace is what a buffer given to Send reserves in front, in bytes: the
// longest header of a frame (RFC 6455 section 5.2), with its masking key.
const HeaderSpace = 14

// Conn is a live WebSocket.
type Conn interface {
	// Send sends buf[HeaderSpace:] as one binary message. The header is written in
	// place in front of it. It never waits: what the socket does not take is queued
	// and counted by Pending. buf may be reused after the return.
	Send(buf []byte) error
	// Pending returns how many bytes Send has taken that the socket has not.
	Pending() int
	// LastRead and LastWrite return when bytes last came or went, as Now has it.
	LastRead() time.Duration
	LastWrite() time.Duration
	// Close ends the connection with its first error. Handler.Closed is called
	// later, from another stack. It is idempotent.
	Close(err error)
}

// Handler is what a connection's events go to. Its methods are called one at a
// time, but for Writable.
type Handler interface {
	// Message is called for each binary message. msg is borrowed until the return,
	// unless owned: then it is the handler's. An error ends the connection.
	Message(msg []byte, owned bool) error
	// BatchEnd is called after the messages of one read.
	BatchEnd()
	// Writable is called when a connection that had more than congested bytes
	// pending has few again. The transport's lock is held: it must neither wait nor
	// Send.
	Writable()
	// Closed is called once, after everything else.
	Closed(err error)
}

const (
	congested = 64 << 10 // bytes pending from which on Writable is owed
	drained   = 32 << 10 // bytes pending at which it is paid
)

// ErrClosed is the end of a connection that was closed without an error.
var ErrClosed = errors.New("wsnet: closed")

// CloseError is the end of a connection whose peer sent a close frame.
type CloseError struct {
	Code   uint16 // RFC 6455 section 7.4; 1005 if there was none
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket closed by the peer: code %d %s", e.Code, e.Reason)
}

// ProtocolError is the end of a connection whose peer broke RFC 6455, or exceeded
// the size limit.
type ProtocolError struct{ Reason string }

func (e *ProtocolError) Error() string { return "websocket: " + e.Reason }

func violation(format string, args ...any) error {
	return &ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

// StatusError is the answer of an HTTP server that did not upgrade.
type StatusError struct {
	Code   int
	Reason string
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.Code, e.Reason) }

// epoch is when the clock of Now started. It is the monotonic clock of this process
// and the same for all connections.
var epoch = time.Now()

// Now returns the time on the clock of LastRead and LastWrite.
func Now() time.Duration { return time.Since(epoch) }
