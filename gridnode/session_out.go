package gridnode

import (
	"context"
	"runtime"
	"sync"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

const (
	fragmentSize = 64 << 10  // most payload bytes of one frame
	bulkSize     = 4 << 10   // payloads above this are bulk: they use the session byte window
	batchSize    = 256 << 10 // a batch that reaches this is closed and the next one begun
	smallBatch   = 60 << 10  // the same for a batch whose last frame is not bulk
	bulkQueue    = 256 << 10 // bytes waiting to be written before bulk senders wait
	controlLimit = 16 << 20  // bytes of control frames, above Config.QueueLimit, that end the session
	maxPending   = 64 << 10  // bytes in the transport before the flusher stops and lets the queue fill

	// flushRounds bounds how many batches one caller writes for others before it
	// hands the flushing over to the node's pool.
	flushRounds = 4
)

// batchSpace is what every batch reserves in front: the WebSocket header, and the
// checksum.
const batchSpace = wsnet.HeaderSpace + frames.ChecksumSize

// batch is a buffer in which frames gather. Batches live in a pool, so that an
// idle session holds none.
type batch struct{ b []byte }

var batches = sync.Pool{New: func() any { return &batch{b: make([]byte, batchSpace, 4<<10)} }}

func newBatch() *batch {
	b := batches.Get().(*batch)
	b.b = b.b[:batchSpace]
	return b
}

func (b *batch) free() {
	if cap(b.b) <= 2*batchSize {
		batches.Put(b)
	}
}

// complete reports whether no more should be added behind f, the last frame. One of small
// frames is to come in one read of the peer's: a part of it would be copied and kept. With
// 256 KiB for all, streams of 10 messages by 64 callers took 1.1 to 1.2 times as long.
func (b *batch) complete(f *frames.Frame) bool {
	return len(b.b) >= batchSize || len(b.b) >= smallBatch && len(f.Payload) <= bulkSize
}

// outQueue is the out batch of a session and who writes it. All fields are under
// session.mu; the batch that is being written belongs to the flusher alone.
//
// There is no writer goroutine: whoever appends a frame and finds no flush running
// becomes the flusher. A frame per write costs a system call each; a channel and a
// writer goroutine cost a wake-up and an allocation.
type outQueue struct {
	current  *batch   // being filled, nil when empty
	full     []*batch // closed, in order
	bytes    int      // in current and full
	flushing bool     // somebody is the flusher, or will be made one by Writable
	stalled  bool     // the flusher stopped at maxPending; Writable resumes it
	corked   bool     // the reader is at work and flushes at its end
	closed   bool
	small    gate // senders of small payloads, above Config.QueueLimit
	bulk     gate // senders of bulk, above bulkQueue
}

// flushing says what the caller of append must do after the unlock.
type flushing uint8

const (
	flushNothing flushing = iota // somebody else writes the batch
	flushNow                     // write it
	flushSoon                    // let others join, then write it
)

// append encodes f into the current batch and says what must be flushed: its result
// goes to session.flush. session.mu is held.
func (q *outQueue) append(s *session, f *frames.Frame) flushing {
	if q.closed {
		return flushNothing
	}
	if q.current == nil {
		q.current = newBatch()
	}
	before := len(q.current.b)
	q.current.b = frames.Append(q.current.b, f)
	q.bytes += len(q.current.b) - before
	if q.current.complete(f) {
		q.full = append(q.full, q.current)
		q.current = nil
	}
	if q.flushing || q.corked {
		return flushNothing
	}
	q.flushing = true
	if s.busy() {
		return flushSoon
	}
	return flushNow
}

// next takes the oldest batch. session.mu is held.
func (q *outQueue) next() *batch {
	var b *batch
	if len(q.full) > 0 {
		b = q.full[0]
		q.full[0] = nil
		q.full = q.full[1:]
		if len(q.full) == 0 {
			q.full = nil
		}
	} else {
		b, q.current = q.current, nil
	}
	if b != nil {
		q.bytes -= len(b.b) - batchSpace
	}
	return b
}

// close drops what is queued and lets nobody wait any more. session.mu is held.
func (q *outQueue) close() {
	q.closed = true
	for b := q.next(); b != nil; b = q.next() {
		b.free()
	}
	q.small.openAll()
	q.bulk.openAll()
}

// wake lets waiting senders go on, as far as there is room. session.mu is held.
func (q *outQueue) wake(limit int) {
	if q.bytes < limit/2 {
		q.small.openAll()
	}
	for room := bulkQueue - q.bytes; room >= fragmentSize; room -= fragmentSize {
		q.bulk.openOne()
	}
}

// flush writes batches until none is left, if append has made the caller the flusher.
func (s *session) flush(how flushing) {
	switch how {
	case flushNothing:
		return
	case flushSoon:
		// Let the others that are about to call append to this batch. With a
		// single call in flight nobody would come: 22 us instead of 31 per call.
		runtime.Gosched()
	}
	if s.flushSome(flushRounds) {
		return
	}
	s.handOverFlush()
}

// handOverFlush lets the node's pool go on with the flush, so that a caller does
// not write for the others for ever. A pool that is closed leaves it here.
func (s *session) handOverFlush() {
	if s.node.pool.Continue((*flushTask)(s)) != nil {
		(*flushTask)(s).Run()
	}
}

// busy reports whether others are likely to append soon: more than one call is in
// flight, or the last read has ended more than one, whose callers are about to call
// again. s.mu is held.
func (s *session) busy() bool {
	return s.replied > 1 || s.calls.len()+s.singles.len() > 1 || s.clients.len()+s.servers.len() > 1
}

// flushTask continues a flush on the node's pool.
type flushTask session

func (t *flushTask) Run() {
	s := (*session)(t)
	for !s.flushSome(flushRounds) {
		runtime.Gosched()
	}
}

// flushSome writes up to rounds batches and reports whether the flush is over.
func (s *session) flushSome(rounds int) bool {
	for range rounds {
		s.mu.Lock()
		if s.out.bytes == 0 || s.out.closed {
			s.out.flushing = false
			s.out.wake(s.node.cfg.QueueLimit)
			s.mu.Unlock()
			return true
		}
		if s.wire.Pending() > maxPending {
			s.out.stalled = true // still flushing: Writable hands the flush on
			s.mu.Unlock()
			return s.resumeStalled()
		}
		b := s.out.next()
		s.out.wake(s.node.cfg.QueueLimit)
		s.mu.Unlock()
		s.write(b)
	}
	return false
}

// resumeStalled closes the race with a Writable that came before stalled was set.
// It reports whether the flush is over for this flusher.
func (s *session) resumeStalled() bool {
	if s.wire.Pending() > maxPending {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.out.stalled {
		return true // Writable has handed it on
	}
	s.out.stalled = false
	return false
}

// write seals one batch and gives it to the transport.
func (s *session) write(b *batch) {
	msg := b.b
	if s.checksum {
		frames.PutChecksum(msg[wsnet.HeaderSpace:])
	} else {
		// Without a checksum its space is left out by starting later.
		msg = msg[frames.ChecksumSize:]
	}
	s.stats.sent(len(msg) - wsnet.HeaderSpace)
	if err := s.wire.Send(msg); err != nil {
		s.fail(err)
	}
	b.free()
}

// Writable is called by the transport when it has room again, with its write lock
// held: the flush goes on elsewhere.
func (s *session) Writable() {
	// The pool closes after its node's sessions have ended.
	_ = s.node.pool.Continue((*writableTask)(s))
}

type writableTask session

func (t *writableTask) Run() {
	s := (*session)(t)
	s.mu.Lock()
	resume := s.out.stalled
	s.out.stalled = false
	s.mu.Unlock()
	if resume {
		(*flushTask)(s).Run()
	}
}

// crowded returns where to wait with a payload of n bytes, nil if there is room. session.mu
// is held.
func (q *outQueue) crowded(n, queueLimit int) *gate {
	g, limit := &q.small, queueLimit
	if len(g.waiting) > 0 {
		limit /= 2 // where wake lets those go on: nobody passes them
	}
	if n > bulkSize {
		g, limit = &q.bulk, bulkQueue
	}
	if q.bytes < limit {
		return nil
	}
	return g
}

// admitNow is admit without the waiting: errMustWait instead.
func (s *session) admitNow(n int) error {
	s.mu.Lock()
	err := s.err
	if err == nil && s.out.crowded(n, s.node.cfg.QueueLimit) != nil {
		err = errMustWait
	}
	if err != nil {
		s.mu.Unlock()
	}
	return err
}

// admit waits until the queue has room for a payload of n bytes and returns with
// s.mu held, or with an error and without it. Control frames do not come here.
func (s *session) admit(ctx context.Context, n int) error {
	s.mu.Lock()
	for {
		if s.err != nil {
			err := s.err
			s.mu.Unlock()
			return err
		}
		g := s.out.crowded(n, s.node.cfg.QueueLimit)
		if g == nil {
			return nil
		}
		ticket := g.join()
		s.mu.Unlock()
		select {
		case <-ticket:
			s.mu.Lock()
		case <-ctx.Done():
			s.mu.Lock()
			g.leave(ticket)
			s.mu.Unlock()
			return ended(ctx)
		}
	}
}
