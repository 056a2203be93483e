package memnet

import (
	"bytes"
	"syscall"
	"time"
)

// pipe is one direction of a connection. The link's mutex guards it.
//
// A byte is in flight from the write until it arrives, and arrived until it is read.
// Only the first segment in flight is ever due, whatever the link's delay becomes:
// the order is kept.
type pipe struct {
	// Immutable:
	link   *Link
	back   *pipe // the other direction
	window int   // most bytes in flight and arrived

	flight  []segment
	flying  int // bytes in flight
	arrived bytes.Buffer
	last    time.Time   // when the link last moved something here: what Throttle counts from
	timer   *time.Timer // runs tick when the next segment is due; nil until one had to wait

	writing bool  // a Write has begun and is not done: others wait for their turn
	shut    bool  // the writer has closed its end: no more writes
	ended   bool  // that has arrived: io.EOF follows what has arrived
	deaf    bool  // the reader has closed its end: what arrives is discarded
	broken  error // what writes fail with, and reads when nothing is left

	readable event // of arrived, ended, broken, and of the reader's closing and deadline
	writable event // of the window, writing, broken, and of the writer's closing and deadline
}

// segment is what one write put in flight, or the end of the stream.
type segment struct {
	data    []byte // owned by the pipe; empty for an end
	entered time.Time
	end     end
}

// end is what a segment says about its sender.
type end uint8

const (
	endNone  end = iota // it is there
	endWrite            // it writes no more
	endBoth             // nor does it read
)

// What arrives together over a throttled link is at most this much, and at most what the
// rate lets through in this part of a second, so that progress shows.
const (
	mostAtOnce = 4 << 10
	perSecond  = 100
)

// room returns how many bytes may be written now.
func (p *pipe) room() int { return p.window - p.flying - p.arrived.Len() }

// put writes as much of b as there is room for.
func (p *pipe) put(b []byte) int {
	n := min(len(b), p.room())
	if n <= 0 {
		return 0
	}
	if l := p.link; len(p.flight) == 0 && l.delay == 0 && l.rate == 0 && !l.stalled {
		p.deliver(b[:n])
		return n
	}
	p.flying += n
	p.send(segment{data: bytes.Clone(b[:n])})
	return n
}

// finish closes the writer's end.
func (p *pipe) finish(e end) {
	p.shut = true
	p.writable.fire()
	if p.broken == nil {
		p.send(segment{end: e})
	}
}

func (p *pipe) send(s segment) {
	s.entered = time.Now()
	p.flight = append(p.flight, s)
	p.advance()
}

// advance lets everything arrive that is due, and sets the timer for the rest.
func (p *pipe) advance() {
	now := time.Now()
	for len(p.flight) > 0 && !p.link.stalled {
		n, at := p.next()
		if wait := at.Sub(now); wait > 0 {
			p.schedule(wait)
			return
		}
		p.last = at
		p.arrive(n)
	}
}

// next returns when the next bytes arrive, and how many they are.
func (p *pipe) next() (n int, at time.Time) {
	s := &p.flight[0]
	n, at = len(s.data), s.entered.Add(p.link.delay)
	if p.last.After(at) {
		at = p.last
	}
	if rate := p.link.rate; rate > 0 && n > 0 {
		n = p.ready(min(mostAtOnce, max(1, rate/perSecond)), at)
		at = at.Add(time.Duration(n) * time.Second / time.Duration(rate))
	}
	return n, at
}

// ready returns how many bytes, at most so many, wait for nothing but the rate. They are
// of several segments if the first ones are small: else the room that a small one leaves
// would be filled by a small one, and everything would arrive in crumbs.
func (p *pipe) ready(most int, at time.Time) (n int) {
	for i := range p.flight {
		s := &p.flight[i]
		if s.end != endNone || s.entered.Add(p.link.delay).After(at) {
			break
		}
		if n += len(s.data); n >= most {
			return most
		}
	}
	return n
}

// arrive moves n bytes, or the end, out of the first segments.
func (p *pipe) arrive(n int) {
	if s := p.flight[0]; s.end != endNone {
		p.flight = p.flight[1:]
		p.end(s.end)
		return
	}
	for n > 0 && len(p.flight) > 0 { // a cut that comes in between empties it
		s := &p.flight[0]
		data := s.data[:min(n, len(s.data))]
		if s.data = s.data[len(data):]; len(s.data) == 0 {
			p.flight[0] = segment{}
			p.flight = p.flight[1:]
		}
		n -= len(data)
		p.flying -= len(data)
		p.deliver(data)
	}
}

// end is the arrival of the writer's end.
func (p *pipe) end(e end) {
	p.ended = true
	p.readable.fire()
	if e == endBoth {
		p.back.fail(syscall.EPIPE)
	}
}

// deliver takes b, which is not empty and not kept, off the link.
func (p *pipe) deliver(b []byte) {
	l := p.link
	n, cut := l.cutIn.pass(len(b))
	if cut {
		b = b[:n]
	}
	if len(b) > 0 {
		p.receive(b)
	}
	if cut {
		l.cutLocked()
	}
}

func (p *pipe) receive(b []byte) {
	p.link.passed += len(b)
	nth, corrupt := p.link.corruptIn.pass(len(b))
	if p.deaf {
		p.writable.fire()
		return
	}
	before := p.arrived.Len()
	p.arrived.Write(b)
	if corrupt {
		p.arrived.Bytes()[before+nth-1] ^= 0xff
	}
	p.readable.fire()
}

// restart takes account of a change of the link. The rate counts from now on.
func (p *pipe) restart() {
	p.last = time.Now()
	p.advance()
}

// fail breaks the pipe: nothing in flight arrives any more.
func (p *pipe) fail(err error) {
	if p.broken == nil {
		p.broken = err
	}
	p.flight, p.flying = nil, 0
	if p.timer != nil {
		p.timer.Stop()
	}
	p.readable.fire()
	p.writable.fire()
}

func (p *pipe) schedule(d time.Duration) {
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.tick)
		return
	}
	p.timer.Reset(d)
}

// tick is the timer's: it may come late, or after a change, and then does no harm.
func (p *pipe) tick() {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	p.advance()
}
