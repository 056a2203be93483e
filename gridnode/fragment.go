package gridnode

import (
	"context"
	"time"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/buffer"
)

// maxMessage is the largest payload that both sides allow.
func (s *session) maxMessage() int {
	return min(s.node.cfg.MaxMessage, s.peer.maxMessage)
}

// tooLarge is the error of a payload above maxMessage: it names the side whose limit that is.
func (s *session) tooLarge(what string, payload []byte) *Error {
	node := s.node.cfg.Local
	if s.peer.maxMessage < s.node.cfg.MaxMessage {
		node = s.conn.remote
	}
	return errTooLarge(what, uint64(len(payload)), node, s.maxMessage())
}

func errTooLarge(what string, size uint64, node string, limit int) *Error {
	return errorf(CodeMessageTooLarge, "message too large: %s of %d bytes, Config.MaxMessage of %s is %d", what, size, node, limit)
}

// reserve takes n bytes of the session byte window if the payload is bulk. It
// bounds what is in flight, kernel buffers included, so that a tiny call never
// waits behind more than a window of large ones.
func (s *session) reserve(ctx context.Context, n int) error {
	if n <= bulkSize {
		return nil
	}
	if err := s.window.TakeN(ctx, int64(n)); err != nil {
		return s.unsent(ctx, err)
	}
	return nil
}

// cut makes f the first frame of a message with this payload, and returns what it has
// no room for.
func cut(f *frames.Frame, payload []byte) (rest []byte) {
	if len(payload) <= fragmentSize {
		f.Payload = payload
		return nil
	}
	f.Flags, f.Size = frames.FlagMore, uint64(len(payload))
	f.Payload = payload[:fragmentSize]
	return payload[fragmentSize:]
}

// sendRest sends what cut has left as fragments of f's message, each when there is
// room, so that other frames go between. gone, if not nil, reports that the receiver
// has ended the mux: the rest is not sent then, which is no error. After an error
// f.Flags has FlagCont: a part of the message is out, and the rest will not follow.
func (s *session) sendRest(ctx context.Context, f *frames.Frame, rest []byte, gone func() bool) error {
	for len(rest) > 0 {
		n := min(len(rest), fragmentSize)
		f.Payload, rest = rest[:n], rest[n:]
		f.Flags = frames.FlagCont
		if len(rest) > 0 {
			f.Flags |= frames.FlagMore
		}
		if ctx.Err() != nil {
			return ended(ctx) // the window does not look at ctx unless it is full
		}
		if err := s.reserve(ctx, n); err != nil {
			return err
		}
		if gone != nil && gone() {
			s.window.Return(reserved(n))
			return nil
		}
		if err := s.enqueue(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// enqueue admits one data frame and sees that it is flushed.
func (s *session) enqueue(ctx context.Context, f *frames.Frame) error {
	if err := s.admit(ctx, len(f.Payload)); err != nil {
		s.window.Return(reserved(len(f.Payload)))
		return err
	}
	flush := s.out.append(s, f)
	s.mu.Unlock()
	s.flush(flush)
	return nil
}

// send sends one message, whole or in fragments. f carries the rest of the frame.
func (s *session) send(ctx context.Context, f *frames.Frame, payload []byte) error {
	rest := cut(f, payload)
	if err := s.reserve(ctx, len(f.Payload)); err != nil {
		return err
	}
	if err := s.enqueue(ctx, f); err != nil {
		return err
	}
	return s.sendRest(ctx, f, rest, nil)
}

// reserved is how many bytes of the window a payload of n bytes takes.
func reserved(n int) int64 {
	if n <= bulkSize {
		return 0
	}
	return int64(n)
}

// assembly is a message that arrives in fragments. It belongs to the reader.
type assembly struct {
	first frames.Frame  // of the first fragment; Payload unset
	came  time.Duration // when that was, on wsnet's clock: the deadline runs from then
	buf   []byte        // has room for the announced size
}

// newAssembly checks the announced size against the limits and the session's
// receive budget before it allocates.
func (s *session) newAssembly(f *frames.Frame) (*assembly, error) {
	if f.Size <= uint64(len(f.Payload)) {
		return nil, protocolError("more fragments announced for a message of %d bytes, %d are here", f.Size, len(f.Payload))
	}
	if f.Size > uint64(s.node.cfg.MaxMessage) {
		return nil, errTooLarge("message", f.Size, s.node.cfg.Local, s.node.cfg.MaxMessage)
	}
	if len(s.assembling) >= s.node.cfg.MaxMuxesPerPeer {
		return nil, overBudget("%d messages begun", len(s.assembling))
	}
	if !s.hold(int(f.Size)) {
		return nil, overBudget("more than %d bytes received and not taken", s.node.cfg.ReceiveBudget)
	}
	a := &assembly{first: *f, came: s.wire.LastRead(), buf: buffer.Exact(int(f.Size))}
	a.first.Payload, a.first.Text = nil, nil
	return a, nil
}

// fits checks a message that is not cut into fragments against the limit.
func (s *session) fits(f *frames.Frame) error {
	if len(f.Payload) > s.node.cfg.MaxMessage {
		return errTooLarge("message", uint64(len(f.Payload)), s.node.cfg.Local, s.node.cfg.MaxMessage)
	}
	return nil
}

// add appends a fragment; it reports whether the message is complete.
func (a *assembly) add(f *frames.Frame) (complete bool, err error) {
	if uint64(len(a.buf)+len(f.Payload)) > a.first.Size {
		return false, protocolError("fragments exceed the announced %d bytes", a.first.Size)
	}
	a.buf = append(a.buf, f.Payload...)
	if f.Flags&frames.FlagMore != 0 {
		return false, nil
	}
	if uint64(len(a.buf)) != a.first.Size {
		return false, protocolError("fragments of %d bytes, announced %d", len(a.buf), a.first.Size)
	}
	return true, nil
}

// hold counts n received bytes against the budget.
func (s *session) hold(n int) bool {
	if s.held.Add(int64(n)) > int64(s.node.cfg.ReceiveBudget) {
		s.held.Add(-int64(n))
		return false
	}
	return true
}

func (s *session) release(n int) { s.held.Add(-int64(n)) }
