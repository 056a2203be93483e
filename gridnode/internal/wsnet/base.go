package wsnet

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// base is what both transports share: parsing, control frames, the first error, and
// the promise that Closed comes once and last.
type base struct {
	handler Handler
	client  bool
	write   func(frame []byte) error // of the transport
	drop    func(err error)          // closes the socket

	lastRead, lastWrite atomic.Int64
	pending             atomic.Int64
	owed                atomic.Bool // Writable

	reading sync.Mutex // held while the handler is called, so that Closed comes last
	parser  parser     // under reading
	ended   bool       // under reading

	failing sync.Mutex
	err     error // the first error
	failed  bool
}

func (b *base) init(h Handler, client bool, maxMessage int) {
	b.handler, b.client = h, client
	b.parser = parser{masked: !client, max: maxMessage}
	b.lastRead.Store(int64(Now()))
	b.lastWrite.Store(int64(Now()))
}

func (b *base) Pending() int             { return int(b.pending.Load()) }
func (b *base) LastRead() time.Duration  { return time.Duration(b.lastRead.Load()) }
func (b *base) LastWrite() time.Duration { return time.Duration(b.lastWrite.Load()) }

// Send implements Conn.
func (b *base) Send(buf []byte) error {
	return b.sendFrame(buf, opBinary)
}

func (b *base) sendFrame(buf []byte, op byte) error {
	start := putHeader(buf, op, len(buf)-HeaderSpace, b.client)
	b.pending.Add(int64(len(buf) - start))
	err := b.write(buf[start:])
	if err == nil && b.pending.Load() > congested {
		b.owed.Store(true)
	}
	return err
}

// written counts bytes that the socket has taken.
func (b *base) written(n int) {
	b.lastWrite.Store(int64(Now()))
	if b.pending.Add(-int64(n)) <= drained && b.owed.Load() && b.owed.CompareAndSwap(true, false) {
		b.handler.Writable()
	}
}

// received handles the bytes of one read.
func (b *base) received(data []byte) {
	b.lastRead.Store(int64(Now()))
	b.reading.Lock()
	defer b.reading.Unlock()
	b.handle(data)
}

// handle parses and dispatches; a panic of the handler ends this connection only.
// b.reading is held.
func (b *base) handle(data []byte) {
	defer func() {
		if v := recover(); v != nil {
			b.Close(fmt.Errorf("wsnet: panic: %v\n%s", v, debug.Stack()))
		}
	}()
	if b.ended {
		return
	}
	err := b.parser.feed(data, (*events)(b))
	if err != nil {
		b.ended = true
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
	b.failing.Lock()
	if b.failed {
		b.failing.Unlock()
		return
	}
	b.failed, b.err = true, err
	b.failing.Unlock()
	b.drop(err)
}

// closed tells the handler, once the socket is closed.
func (b *base) closed(err error) {
	b.failing.Lock()
	if !b.failed {
		b.failed, b.err = true, err
	}
	err = b.err
	b.failing.Unlock()
	b.reading.Lock()
	b.ended = true
	b.reading.Unlock()
	b.handler.Closed(err)
}

// events is a base as the sink of its parser.
type events base

func (e *events) message(msg []byte, owned bool) error { return e.handler.Message(msg, owned) }

// control answers pings and close frames (RFC 6455 section 5.5).
func (e *events) control(op byte, payload []byte) error {
	b := (*base)(e)
	switch op {
	case opPing:
		if b.Pending() > congested {
			return nil // a flood of pings, or a peer that does not read its pongs
		}
		return b.sendControl(opPong, payload)
	case opClose:
		closing := &CloseError{Code: 1005}
		if len(payload) == 1 {
			return violation("close frame of one byte")
		}
		if len(payload) >= 2 {
			closing.Code = binary.BigEndian.Uint16(payload)
			closing.Reason = string(payload[2:])
			payload = payload[:2]
		}
		b.sendControl(opClose, payload)
		return closing
	}
	return nil
}

func (b *base) sendControl(op byte, payload []byte) error {
	buf := make([]byte, HeaderSpace, HeaderSpace+maxControl)
	return b.sendFrame(append(buf, payload...), op)
}
