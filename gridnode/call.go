package gridnode

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// call is the slot of one single on the calling side: a mailbox of one reserved
// slot whose actor is the caller's own goroutine. Whoever removes the call from
// session.calls, under the session's lock, owns its end and calls finish exactly
// once, or returns it to the pool if that is the caller itself.
type call struct {
	home    *sync.Pool    // Manager.calls, where it goes back to
	done    chan struct{} // capacity 1: finish never blocks
	to      destination
	resp    []byte
	err     error
	expires uint64 // the session's tick that ends it; 0: the context decides
}

// destination is what the end of a call goes to beside its slot; the zero value is
// nothing.
type destination struct {
	group chan *call // instead of done for a call of a fan-out; has room for all
	index int        // in the fan-out
}

// initCalls makes the node's pool of slots. It is the node's and not the process's: a
// channel made in one testing/synctest bubble must not be touched in another.
func (m *Manager) initCalls() {
	m.calls.New = func() any { return &call{home: &m.calls, done: make(chan struct{}, 1)} }
}

func (c *call) finish(resp []byte, err error) {
	c.resp, c.err = resp, err
	if c.to.group != nil {
		c.to.group <- c
		return
	}
	c.done <- struct{}{}
}

func (c *call) free() {
	c.resp, c.err, c.expires, c.to = nil, nil, 0, destination{}
	c.home.Put(c)
}

// pendingCall is a single that has been sent and not yet awaited. Fan-out begins
// many and waits for them afterwards.
type pendingCall struct {
	s    *session
	id   uint64
	call *call
}

// request performs one single on this session.
func (s *session) request(ctx context.Context, target uint32, req []byte) ([]byte, error) {
	p, err := s.begin(ctx, target, req, destination{})
	if err == errMustWait {
		return s.requestSlowly(ctx, target, req)
	}
	if err != nil {
		return nil, err
	}
	return p.wait(ctx)
}

// errMustWait is what begin returns if the request cannot be sent at once.
var errMustWait = errors.New("must wait")

// begin sends the request if that is possible in one piece and without waiting. The
// payload is copied before it returns.
func (s *session) begin(ctx context.Context, target uint32, req []byte, to destination) (pendingCall, error) {
	if len(req) > s.maxMessage() {
		return pendingCall{}, s.tooLarge("request", req)
	}
	if ctx.Err() != nil {
		return pendingCall{}, ended(ctx)
	}
	if len(req) > fragmentSize || !s.window.TryTakeN(reserved(len(req))) {
		return pendingCall{}, errMustWait
	}
	if err := s.admitNow(len(req)); err != nil {
		s.window.Return(reserved(len(req)))
		if err != errMustWait {
			err = s.unsent(ctx, err)
		}
		return pendingCall{}, err
	}
	return s.sendCall(ctx, &frames.Frame{Op: frames.OpRequest, Target: target, Payload: req}, to)
}

// requestSlowly is request for what begin cannot send. Config.CallTimeout is for the
// waiting too: nobody but the context knows of a call that has not been sent.
func (s *session) requestSlowly(ctx context.Context, target uint32, req []byte) ([]byte, error) {
	if s.node.hasCallTimeout(ctx) {
		limited, cancel := context.WithTimeout(ctx, s.node.cfg.CallTimeout)
		defer cancel()
		resp, err := s.requestWaiting(limited, target, req)
		if err == context.DeadlineExceeded {
			err = s.callTimeout()
		}
		return resp, err
	}
	return s.requestWaiting(ctx, target, req)
}

func (s *session) requestWaiting(ctx context.Context, target uint32, req []byte) ([]byte, error) {
	f := frames.Frame{Op: frames.OpRequest, Target: target}
	rest := cut(&f, req)
	if err := s.reserve(ctx, len(f.Payload)); err != nil {
		return nil, err
	}
	if err := s.admit(ctx, len(f.Payload)); err != nil {
		s.window.Return(reserved(len(f.Payload)))
		return nil, s.unsent(ctx, err)
	}
	p, err := s.sendCall(ctx, &f, destination{})
	if err != nil {
		return nil, err
	}
	if err := s.sendRest(ctx, &f, rest, func() bool { return !s.calling(p.id) }); err != nil {
		return nil, p.abandon(err)
	}
	return p.wait(ctx)
}

// sendCall makes the call and sends its first frame, whose bytes have been reserved.
// s.mu is held, and released. The ID is taken with the frame: IDs go out in order.
func (s *session) sendCall(ctx context.Context, f *frames.Frame, to destination) (pendingCall, error) {
	p, err := s.addCall(ctx)
	if err != nil {
		s.out.wake(s.node.cfg.QueueLimit) // the turn passes on
		s.mu.Unlock()
		s.window.Return(reserved(len(f.Payload)))
		return pendingCall{}, err
	}
	p.call.to = to
	f.Mux, f.Timeout = p.id, s.timeLeft(ctx, p.call)
	flush := s.out.append(s, f)
	s.mu.Unlock()
	s.flush(flush)
	return p, nil
}

// addCall makes the slot and its mux ID. s.mu is held.
func (s *session) addCall(ctx context.Context) (pendingCall, error) {
	if err := s.usable(); err != nil {
		return pendingCall{}, err
	}
	c := s.node.calls.Get().(*call)
	if s.node.hasCallTimeout(ctx) {
		c.expires = s.ticks + s.node.callTicks()
	}
	id := s.open()
	s.calls.put(id, c)
	return pendingCall{s: s, id: id, call: c}, nil
}

// hasCallTimeout reports whether Config.CallTimeout applies to a single under ctx.
func (m *Manager) hasCallTimeout(ctx context.Context) bool {
	_, ok := ctx.Deadline()
	return !ok && m.cfg.CallTimeout > 0 && ctx.Value(noTimeoutKey{}) == nil
}

// timeLeft is the time remaining as it goes on the wire, in microseconds; 0 is
// none. The receiver's clock starts at receipt, so no clocks need to agree.
func (s *session) timeLeft(ctx context.Context, c *call) uint64 {
	left := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		left = max(time.Until(deadline), time.Microsecond)
	} else if c != nil && c.expires > 0 {
		left = max(s.node.cfg.CallTimeout, time.Microsecond)
	}
	return uint64(left / time.Microsecond)
}

// wait returns the call's end: the response, or the first error. A context that
// ends makes it return at once; the remote handler is told.
func (p pendingCall) wait(ctx context.Context) ([]byte, error) {
	if cancelled := ctx.Done(); cancelled != nil {
		select {
		case <-p.call.done:
		case <-cancelled:
			return nil, p.abandon(ended(ctx))
		}
	} else {
		<-p.call.done
	}
	resp, err := p.call.resp, p.call.err
	p.call.free()
	return resp, err
}

// abandon gives up the call with err and tells the peer. If the call has ended
// meanwhile its end is dropped: the caller gets err in any case.
func (p pendingCall) abandon(err error) error {
	if p.s.takeCall(p.id) == nil {
		<-p.call.done
		p.call.free()
		return err
	}
	p.call.free()
	p.tell(err)
	return err
}

// tell lets the peer know that nobody waits for the call any more.
func (p pendingCall) tell(err error) {
	code, text := statusOf(err)
	p.s.control(&frames.Frame{Op: frames.OpCancel, Mux: p.id, Code: code, Text: []byte(text)})
}

// takeCall removes the call with this ID; the caller of takeCall owns its end.
func (s *session) takeCall(id uint64) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.take(id)
}

// unsent turns an error from before the request was queued into what the caller
// gets: its own context's cause, or not sent.
func (s *session) unsent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return notSent(err)
}

type noTimeoutKey struct{}

// WithoutTimeout returns a context under which a single without a deadline may
// last for ever: Config.CallTimeout does not apply.
func WithoutTimeout(ctx context.Context) context.Context {
	return context.WithValue(ctx, noTimeoutKey{}, true)
}
