package gridnode

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/actorgrid/actorgrid/actor"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// loopbackQueue is how many batches may wait at one end of a loopback.
const loopbackQueue = 4096

// loopbackCost is added to the bytes of each batch for Pending, so that the flusher
// stops long before the queue is full.
const loopbackCost = 256

// loopbackWire is one end of the node's connection to itself: what is sent at one
// end arrives as messages of an actor at the other, without a network.
type loopbackWire struct {
	far     *loopbackWire
	session *session // that receives at this end
	actor   *actor.Reactor[loopbackEvent]
	pending atomic.Int64 // bytes sent from here and not yet received
	closing *loopbackEnd // shared by both ends
}

type loopbackEvent struct {
	msg    []byte
	closed bool
}

// loopbackEnd is the first error of a loopback.
type loopbackEnd struct {
	once sync.Once
	err  error
}

// startLoopback connects the node to itself: two sessions, as on any link.
func (c *Connection) startLoopback() {
	m := c.node
	hello := m.hello(c.remote, "")
	info, err := understand(&hello)
	if err != nil {
		m.log.Error("loopback", "error", err) // own hello: cannot happen
		return
	}
	a, b := newSession(c, info, true), newSession(c, info, false)
	end := &loopbackEnd{}
	wa, wb := &loopbackWire{session: a, closing: end}, &loopbackWire{session: b, closing: end}
	wa.far, wb.far = wb, wa
	for _, w := range []*loopbackWire{wa, wb} {
		w.actor = actor.NewReactor(m.pool, loopbackQueue, w.receive)
		w.session.wire = w
	}
	a.beginLife()
	b.beginLife()
	c.actor.TrySend(connEvent{kind: eventAccepted, session: b})
	c.actor.TrySend(connEvent{kind: eventAttached, session: a})
}

func (w *loopbackWire) Send(buf []byte) error {
	msg := append([]byte(nil), buf[wsnet.HeaderSpace:]...)
	w.pending.Add(int64(len(msg) + loopbackCost))
	if w.far.actor.Len() >= loopbackQueue-2 {
		return errorf(CodeOverloaded, "overloaded: loopback queue")
	}
	return w.far.actor.TrySend(loopbackEvent{msg: msg})
}

// receive is the actor's body.
func (w *loopbackWire) receive(e loopbackEvent) {
	if e.closed {
		w.session.Closed(w.closing.err)
		w.actor.Poison(w.closing.err)
		return
	}
	if err := w.session.Message(e.msg); err != nil {
		w.Close(err)
		return
	}
	w.session.BatchEnd()
	w.far.pending.Add(-int64(len(e.msg) + loopbackCost))
	(*writableTask)(w.far.session).Run()
}

func (w *loopbackWire) Pending() int             { return int(w.pending.Load()) }
func (w *loopbackWire) LastRead() time.Duration  { return wsnet.Now() }
func (w *loopbackWire) LastWrite() time.Duration { return wsnet.Now() }
func (w *loopbackWire) Unread() bool             { return false }
func (w *loopbackWire) Room() bool               { return false }
func (w *loopbackWire) Unacked() int             { return 0 }

func (w *loopbackWire) Close(err error) {
	w.closing.once.Do(func() {
		w.closing.err = err
		w.actor.TrySend(loopbackEvent{closed: true})
		w.far.actor.TrySend(loopbackEvent{closed: true})
	})
}
