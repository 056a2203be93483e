package wsnet

import (
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// transport is what differs between the two kinds of live connection.
type transport interface {
	// writeFrame takes a frame, which it may not keep, and adds what is to be written
	// of it to pending. It never waits.
	writeFrame(frame []byte) error
	// shut closes the socket without waiting, after a last frame if nothing else is
	// pending; last may be nil. It is called once.
	shut(last []byte)
}

// base is what both transports share: parsing, control frames, the first error, and
// the promise that Closed comes once and last.
type base struct {
	// Immutable once bound.
	transport transport
	handler   Handler
	client    bool

	lastRead, lastWrite atomic.Int64
	pending             atomic.Int64
	owed                atomic.Bool  // Writable
	state               atomic.Int32 // changed under mu

	reading sync.Mutex // held while the handler is called, so that Closed comes last
	parser  parser     // guarded by reading; but for that, the reader's alone
	gone    bool       // guarded by reading: the socket is closed, or the stream broken

	mu   sync.Mutex
	err  error // guarded by mu: the first error, set in stateFailed
	told bool  // guarded by mu: the handler has been told of the end, or is about to be
}

// The states of a connection: from starting to open or failed, from open to failed.
const (
	stateStarting = iota // the transport does not have the socket yet
	stateOpen
	stateFailed // there is a first error, and shut has been called or will be
)

// errStarting is what Send returns before Start has got that far.
var errStarting = errors.New("wsnet: the connection is not live yet")

// bind makes the connection known to its handler.
func (b *base) bind(t transport, l *Link, bind func(Conn) Handler, c Conn) {
	b.transport, b.client = t, l.client
	b.parser = parser{masked: !l.client, max: l.maxMessage}
	b.lastRead.Store(int64(Now()))
	b.lastWrite.Store(int64(Now()))
	b.handler = bind(c)
}

// goLive tells that the transport has the socket, and closes it if the handler has
// asked for that already.
func (b *base) goLive() {
	b.mu.Lock()
	failed := b.err != nil
	if !failed {
		b.state.Store(stateOpen)
	}
	b.mu.Unlock()
	if failed {
		b.transport.shut(nil)
	}
}

func (b *base) Pending() int             { return int(b.pending.Load()) }
func (b *base) LastRead() time.Duration  { return time.Duration(b.lastRead.Load()) }
func (b *base) LastWrite() time.Duration { return time.Duration(b.lastWrite.Load()) }

// Send implements Conn.
func (b *base) Send(buf []byte) error {
	start := putHeader(buf, opBinary, len(buf)-HeaderSpace, b.client)
	return b.sendFrame(buf[start:])
}

func (b *base) sendFrame(frame []byte) error {
	switch b.state.Load() {
	case stateStarting:
		return errStarting
	case stateFailed:
		return b.cause()
	}
	if err := b.transport.writeFrame(frame); err != nil {
		if cause := b.cause(); cause != nil {
			return cause
		}
		return err
	}
	if b.pending.Load() > congested {
		b.owed.Store(true)
		b.payWritable() // all of it may have been written before it was owed
	}
	return nil
}

// written counts bytes that the socket has taken.
func (b *base) written(n int) {
	b.lastWrite.Store(int64(Now()))
	b.pending.Add(-int64(n))
	b.payWritable()
}

func (b *base) payWritable() {
	if !b.owed.Load() || b.pending.Load() > drained || !b.owed.CompareAndSwap(true, false) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.told {
		b.handler.Writable()
	}
}

// target returns where the reader is to read to: where the bytes belong, or buf. What
// it has read goes to received.
func (b *base) target(buf []byte) []byte {
	if space := b.parser.space(); space != nil {
		return space
	}
	return buf
}

// received handles the bytes of one read, which it may change. b.reading is held.
func (b *base) received(data []byte) {
	b.lastRead.Store(int64(Now()))
	b.handle(data)
}

// handle parses and dispatches; a panic of the handler ends this connection only.
// b.reading is held.
func (b *base) handle(data []byte) {
	if b.gone || b.state.Load() == stateFailed {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			b.gone = true
			b.Close(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	if err := b.parser.feed(data, (*events)(b)); err != nil {
		b.gone = true
		b.Close(err)
		return
	}
	b.handler.BatchEnd()
}

// Close implements Conn.
func (b *base) Close(err error) {
	if err == nil {
		err = ErrClosed
	}
	if b.fail(err) {
		b.transport.shut(newFrame(opClose, closePayload(err), b.client))
	}
}

// fail records the first error and reports whether the caller has to call shut:
// goLive does if the connection is not live yet.
func (b *base) fail(err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return false
	}
	b.err = err
	return b.state.Swap(stateFailed) == stateOpen
}

func (b *base) cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// closed tells the handler, once the socket is closed. err counts if there was no
// other before.
func (b *base) closed(err error) {
	b.fail(err)
	b.reading.Lock()
	b.gone = true
	b.reading.Unlock()
	b.mu.Lock()
	b.told = true
	err = b.err
	b.mu.Unlock()
	b.handler.Closed(err)
}

// events is a base as the sink of its parser.
type events base

func (e *events) message(msg []byte) error {
	if e.state.Load() == stateFailed {
		return (*base)(e).cause() // the handler has closed within this read
	}
	return e.handler.Message(msg)
}

// control answers pings and close frames (RFC 6455 section 5.5).
func (e *events) control(op byte, payload []byte) error {
	b := (*base)(e)
	switch op {
	case opPing:
		if b.Pending() > congested {
			return nil // a flood of pings, or a peer that does not read its pongs
		}
		return b.sendFrame(newFrame(opPong, payload, b.client))
	case opClose:
		return closeError(payload) // Close echoes the code
	}
	return nil
}
