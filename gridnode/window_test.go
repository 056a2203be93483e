package gridnode

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// windowSender is the sending side of a byte window, and the link: what is on it arrives
// in order.
type windowSender struct {
	t         *testing.T
	w         recvWindow
	available uint64
	link      []uint64
}

// send puts a payload on the link if the window allows.
func (s *windowSender) send(n uint64) bool {
	if n > s.available {
		return false
	}
	s.available -= n
	s.link = append(s.link, n)
	return true
}

func (s *windowSender) arrive() {
	s.t.Helper()
	back, ok := s.w.large(s.link[0])
	if !ok {
		s.t.Fatalf("%d bytes too many", s.link[0])
	}
	s.available += back
	s.link = s.link[1:]
}

// fill sends what the window allows, and returns how much is on the link then.
func (s *windowSender) fill() (n uint64) {
	for s.send(fragmentSize) {
	}
	for _, p := range s.link {
		n += p
	}
	return n
}

// Whatever comes in between, a sender with nothing on the link may send a fragment, and
// no sender that keeps to its credit is taken for one that does not.
func TestTheByteWindowNeverShuts(t *testing.T) {
	for _, size := range []uint64{leastWindow, leastWindow + 1, 300_001, 512 << 10, 8 << 20} {
		s := &windowSender{t: t, w: newRecvWindow(int(size)), available: size}
		for range 200_000 {
			switch rand.IntN(8) {
			case 0, 1, 2, 3:
				s.send(bulkSize + 1 + rand.Uint64N(fragmentSize-bulkSize))
			case 4:
				if rand.IntN(1000) == 0 {
					s.w.small()
				}
			default:
				if len(s.link) > 0 {
					s.arrive()
				} else if !s.send(fragmentSize) {
					t.Fatalf("window of %d: nothing is on the link, and %d may be sent", size, s.available)
				}
			}
		}
	}
}

func TestTheByteWindowIsNarrowWhileSmallCallsComeInBetween(t *testing.T) {
	const size = 512 << 10
	s := &windowSender{t: t, w: newRecvWindow(size), available: size}
	if n := s.fill(); n != size {
		t.Errorf("%d bytes on the link at first, want %d", n, size)
	}
	stepped := func(small bool) (most uint64) {
		for range 2 * calm / fragmentSize {
			if small {
				s.w.small()
			}
			s.arrive()
			most = s.fill()
		}
		return most
	}
	if n := stepped(true); n != leastWindow {
		t.Errorf("%d bytes on the link beside small calls, want %d", n, leastWindow)
	}
	if n := stepped(false); n < size/2 || n > size {
		t.Errorf("%d bytes on the link once these have stopped, want %d to %d", n, size/2, size)
	}
}

func TestTheByteWindowIsExact(t *testing.T) {
	w := newRecvWindow(leastWindow)
	if back, ok := w.large(fragmentSize); !ok || back != fragmentSize {
		t.Errorf("%d back, %v", back, ok)
	}
	w = newRecvWindow(3 * fragmentSize)
	w.small()
	for i, want := range []bool{true, true, true} { // the sender does not know that it is narrow
		if _, ok := w.large(fragmentSize); ok != want {
			t.Errorf("%d: %v", i, ok)
		}
	}
	w = recvWindow{size: leastWindow}
	w.used = leastWindow
	if _, ok := w.large(1); ok {
		t.Error("a byte too many is accepted")
	}
}

// Over a long link a narrow window would be no help to small calls, and leave it empty.
func TestTheByteWindowOfALongLinkStaysWide(t *testing.T) {
	for rtt, want := range map[time.Duration]uint64{0: 0, far - 1: 0, far: calm} {
		s, _ := live(t, Config{}, nil)
		s.stats.rtt.Store(int64(rtt))
		if err := s.received(&frames.Frame{Op: frames.OpRequest, Payload: []byte("small")}); err != nil {
			t.Fatal(err)
		}
		if s.recvWindow.since != want {
			t.Errorf("round trip %v: %d bytes since the last small call, want %d", rtt, s.recvWindow.since, want)
		}
	}
}

// Only whole small payloads are small calls: what a large message leaves over is not,
// nor is what opens a stream, perhaps of large ones.
func TestTheRestOfALargeMessageDoesNotNarrowTheWindow(t *testing.T) {
	s, _ := live(t, Config{}, nil)
	for _, c := range []struct {
		op    frames.Op
		flags frames.Flags
		want  uint64
	}{{frames.OpData, frames.FlagCont, calm}, {frames.OpOpen, 0, calm}, {frames.OpData, 0, 0}} {
		if err := s.received(&frames.Frame{Op: c.op, Flags: c.flags, Payload: []byte("rest")}); err != nil {
			t.Fatal(err)
		}
		if s.recvWindow.since != c.want {
			t.Errorf("%v, flags %d: %d bytes since the last small call, want %d", c.op, c.flags, s.recvWindow.since, c.want)
		}
	}
}
