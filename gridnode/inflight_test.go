package gridnode

import (
	"context"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// atOnce returns a context under which a send does not wait: it takes what is there, or
// fails.
func atOnce() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// What is in flight of large payloads is the peer's window to the byte, for whoever sends:
// whole payloads above 4096 bytes, and nothing else. A byte less than a payload given back
// is not enough for one more.
func TestWhatIsInFlightIsTheWindowToTheByte(t *testing.T) {
	const many, window = 200, 300_001
	for size, want := range map[int]int{1: many, 4095: many, 4096: many, 4097: 73, 65535: 4, 65536: 4} {
		msg := make([]byte, size)
		for kind, open := range map[string]func(s *session) func() bool{
			"requests": func(s *session) func() bool {
				return func() bool {
					_, err := s.begin(context.Background(), 0, msg, destination{})
					return err == nil
				}
			},
			"messages": func(s *session) func() bool {
				st, err := s.openMux(context.Background(), remoteHandler{in: 2 * many, out: 1}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				return func() bool { return st.Send(atOnce(), msg) == nil }
			},
		} {
			s, _ := live(t, Config{Window: window}, nil)
			send := open(s)
			for i := range want {
				if !send() {
					t.Fatalf("%s of %d bytes: %d sent, want %d", kind, size, i, want)
				}
			}
			if want == many {
				continue
			}
			left := window - want*size
			for _, back := range []struct {
				bytes int
				room  bool
			}{{0, false}, {size - left - 1, false}, {1, true}, {0, false}, {size, true}, {0, false}} {
				if back.bytes > 0 {
					receive(t, s, frames.Frame{Op: frames.OpCredit, Credit: uint64(back.bytes)})
				}
				if send() != back.room {
					t.Errorf("%s of %d bytes: after %d given back one more is sent: %v", kind, size, back.bytes, !back.room)
				}
			}
			if n := s.window.Available(); n != 0 {
				t.Errorf("%s of %d bytes: %d left, want 0", kind, size, n)
			}
		}
	}
}

// The receiving side counts the same payloads, whatever becomes of them, and no others.
func TestWhatHasArrivedIsCountedToTheByte(t *testing.T) {
	for size, want := range map[int]uint64{0: 0, 4096: 0, 4097: 4097, 65535: 65535, 65536: 65536} {
		for _, f := range []frames.Frame{
			{Op: frames.OpOpen, Mux: 1, Target: 7, Credit: 1}, // refused: no such handler
			{Op: frames.OpRequest, Mux: 1, Target: 7},
		} {
			s, _ := live(t, Config{Window: 300_000}, nil)
			f.Payload = make([]byte, size)
			gone := frames.Frame{Op: frames.OpData, Mux: 1, Payload: f.Payload} // for a mux that has ended
			receive(t, s, f)
			receive(t, s, gone)
			if n := s.recvWindow.used; n != 2*want {
				t.Errorf("%v of %d bytes: %d counted, want %d", f.Op, size, n, 2*want)
			}
		}
	}
	s, _ := live(t, Config{}, nil)
	if err := arrive(s, frames.Frame{Op: frames.OpRequest, Mux: 1, Payload: make([]byte, fragmentSize+1)}); err == nil {
		t.Error("a frame of more than a fragment is accepted")
	}
}

// The same for the messages of a stream: its credit is exact, whatever fails in between.
func TestCreditIsExactWhateverFails(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 15, 16, 17, 63, 64, 65} {
		s, _ := live(t, Config{MaxMessage: fragmentSize}, nil)
		st, err := s.openMux(context.Background(), remoteHandler{in: capacity, out: 1}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		sendable := func() (n int) {
			for st.Send(atOnce(), []byte("x")) == nil {
				n++
			}
			return n
		}
		s.window.TryTakeN(int64(s.peer.window)) // nothing large can be sent
		for range 2 * capacity {
			if st.Send(atOnce(), make([]byte, bulkSize+1)) == nil || st.Send(atOnce(), make([]byte, s.maxMessage()+1)) == nil {
				t.Fatal("sent")
			}
		}
		if n := sendable(); n != capacity {
			t.Errorf("%d messages in flight, capacity %d", n, capacity)
		}
		receive(t, s, frames.Frame{Op: frames.OpCredit, Mux: st.id, Credit: uint64(capacity)})
		if n := sendable(); n != capacity {
			t.Errorf("%d messages in flight again, capacity %d", n, capacity)
		}
		st.Cancel(nil)
	}
}
