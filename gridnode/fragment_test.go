package gridnode

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// fragments cuts a payload as a sender does.
func fragments(f frames.Frame, payload []byte, size int) []frames.Frame {
	var all []frames.Frame
	f.Flags, f.Size = frames.FlagMore, uint64(len(payload))
	for len(payload) > 0 {
		n := min(size, len(payload))
		f.Payload, payload = payload[:n], payload[n:]
		if len(payload) == 0 {
			f.Flags &^= frames.FlagMore
		}
		all = append(all, f)
		f.Flags |= frames.FlagCont
	}
	return all
}

func echoing(m *Manager) error {
	return m.RegisterSingle(1, func(ctx context.Context, req []byte) ([]byte, error) { return req, nil })
}

func TestInterleavedFragmentsMakeWholeMessages(t *testing.T) {
	s, w := live(t, Config{}, echoing)
	a, b := bytes.Repeat([]byte("a"), 9_000), bytes.Repeat([]byte("b"), 9_000)
	fa := fragments(frames.Frame{Op: frames.OpRequest, Mux: 1}, a, 3_000)
	fb := fragments(frames.Frame{Op: frames.OpRequest, Mux: 3}, b, 1_000)
	for i := range fb {
		if i < len(fa) {
			receive(t, s, fa[i])
		}
		receive(t, s, fb[i])
		if i == 4 { // a small call goes between
			receive(t, s, frames.Frame{Op: frames.OpRequest, Mux: 5, Payload: []byte("small")})
			if f := w.wait(t, frames.OpReply, 5); string(f.Payload) != "small" {
				t.Errorf("%+v", f)
			}
		}
	}
	for mux, want := range map[uint64][]byte{1: a, 3: b} {
		if f := w.wait(t, frames.OpReply, mux); !bytes.Equal(f.Payload, want) {
			t.Errorf("mux %d: %d bytes", mux, len(f.Payload))
		}
	}
	if s.held.Load() != 0 || s.assembling != nil {
		t.Errorf("%d bytes held, %d messages unfinished", s.held.Load(), len(s.assembling))
	}
}

func TestFragmentsThatDoNotAddUpEndTheSession(t *testing.T) {
	request := func(flags frames.Flags, size uint64, n int) frames.Frame {
		return frames.Frame{Op: frames.OpRequest, Mux: 1, Flags: flags, Size: size, Payload: make([]byte, n)}
	}
	for name, fs := range map[string][]frames.Frame{
		"too many":          {request(frames.FlagMore, 10, 8), request(frames.FlagCont, 0, 3)},
		"too many at once":  {request(frames.FlagMore, 10, 11)},
		"too few":           {request(frames.FlagMore, 10, 8), request(frames.FlagCont, 0, 1)},
		"begun twice":       {request(frames.FlagMore, 10, 8), request(frames.FlagMore, 10, 8)},
		"of no message":     {request(frames.FlagCont, 0, 1)},
		"outside a window":  {request(0, 0, 40_000), {Op: frames.OpRequest, Mux: 3, Payload: make([]byte, 200_000)}},
		"reply to nobody":   {{Op: frames.OpReply, Mux: 8, Payload: []byte("x")}},
		"data for nobody":   {{Op: frames.OpData, Mux: 9}},
		"credit of nothing": {{Op: frames.OpCredit, Mux: 0}},
		"hello again":       {{Op: frames.OpHello}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := live(t, Config{Window: 2 * fragmentSize}, echoing)
			if err := arrive(s, fs...); err == nil || !errors.Is(err, ErrProtocol) {
				t.Errorf("the session goes on: %v", err)
			}
		})
	}
}

func TestAnOversizedMessageIsRefusedBeforeItsMemoryIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		code Code
	}{
		"message limit":  {Config{MaxMessage: 1 << 20}, CodeMessageTooLarge},
		"receive budget": {Config{ReceiveBudget: 1 << 20}, CodeOverloaded},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := live(t, c.cfg, echoing)
			receive(t, s,
				frames.Frame{Op: frames.OpRequest, Mux: 1, Flags: frames.FlagMore, Size: 1<<20 + 1, Payload: make([]byte, 100)},
				frames.Frame{Op: frames.OpRequest, Mux: 1, Flags: frames.FlagMore | frames.FlagCont, Payload: make([]byte, 100)},
				frames.Frame{Op: frames.OpRequest, Mux: 3, Payload: []byte("next")},
			)
			if f := w.wait(t, frames.OpStatus, 1); f.Code != c.code {
				t.Errorf("%+v", f)
			}
			if f := w.wait(t, frames.OpReply, 3); string(f.Payload) != "next" || w.err() != nil {
				t.Errorf("the next call: %+v; the session: %v", f, w.err())
			}
			if s.held.Load() != 0 {
				t.Errorf("%d bytes held", s.held.Load())
			}
		})
	}
}

// Promise 5: the time that a request took to arrive counts.
func TestTheDeadlineOfALargeRequestRunsFromItsFirstFragment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan time.Duration, 1)
		s, _ := live(t, Config{}, func(m *Manager) error {
			return m.RegisterSingle(1, func(ctx context.Context, req []byte) ([]byte, error) {
				deadline, _ := ctx.Deadline()
				left <- time.Until(deadline)
				return nil, nil
			})
		})
		fs := fragments(frames.Frame{Op: frames.OpRequest, Mux: 1, Timeout: 10_000_000}, make([]byte, 2_000), 1_000)
		receive(t, s, fs[0])
		<-time.After(3 * time.Second) // the bubble's time: the link is slow
		receive(t, s, fs[1])
		if got := <-left; got != 7*time.Second {
			t.Errorf("%v of 10 s are left after 3 s", got)
		}
	})
}

// Promise 7: what a peer makes this side send is bounded too.
func TestAPingFloodFromAPeerThatReadsNothingIsBounded(t *testing.T) {
	const limit = 16 << 20
	s, w := live(t, Config{}, nil)
	w.pending = maxPending + 1
	ping := frames.Frame{Op: frames.OpPing, Credit: 1 << 60}
	var flood []byte
	for len(flood) < 200<<10 {
		flood = frames.Append(flood, &ping)
	}
	for range 2 * limit / len(flood) {
		if s.Message(flood) != nil || w.err() != nil {
			return // the session has had enough
		}
		s.BatchEnd()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.bytes > limit {
		t.Errorf("%d bytes of pongs wait for a peer that reads nothing", s.out.bytes)
	}
}
