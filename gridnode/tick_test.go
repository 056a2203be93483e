package gridnode

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// Promise 9. checkPeer is told the time, so no test waits for it.
func TestLivenessTellsDeadFromSlowAndStarved(t *testing.T) {
	const sec = time.Second
	type tick struct {
		now, read, write time.Duration // now, and the transport's last read and write
		pending          int
	}
	for _, c := range []struct {
		name  string
		ticks []tick
		dead  bool
		pings int
	}{
		{"quiet for a moment", []tick{{now: 2 * sec, read: sec}}, false, 0},
		{"quiet: one ping, not one per tick", []tick{{now: 4 * sec}, {now: 5 * sec}, {now: 6 * sec}}, false, 1},
		{"still quiet: pinged again", []tick{{now: 4 * sec}, {now: 5 * sec}, {now: 6 * sec}, {now: 7 * sec}, {now: 8 * sec}}, false, 2},
		{"silent until it is given up", []tick{{now: 4 * sec}, {now: 8 * sec}, {now: 8*sec + 1}}, true, 2},
		{"anything received is life", []tick{{now: 9 * sec, read: 8 * sec}, {now: 10 * sec, read: 9 * sec}}, false, 1}, // of this side, which says nothing
		{"takes no bytes", []tick{
			{now: 1 * sec, read: 1 * sec, write: sec, pending: 9}, {now: 2 * sec, read: 2 * sec, write: sec, pending: 9},
			{now: 9 * sec, read: 9 * sec, write: sec, pending: 9}, {now: 10*sec + 1, read: 10 * sec, write: sec, pending: 9},
		}, true, 0},
		{"takes bytes slowly", []tick{
			{now: 1 * sec, read: 1 * sec, write: 1 * sec, pending: 9}, {now: 9 * sec, read: 9 * sec, write: 8 * sec, pending: 8},
			{now: 17 * sec, read: 17 * sec, write: 16 * sec, pending: 7}, {now: 25 * sec, read: 25 * sec, write: 24 * sec, pending: 6},
		}, false, 0},
		{"idle: nothing to write is no stall", []tick{{now: 50 * sec, read: 50 * sec}, {now: 99 * sec, read: 99 * sec}}, false, 2},
		{"both are busy: no ping", []tick{{now: 50 * sec, read: 50 * sec, write: 49 * sec}, {now: 99 * sec, read: 99 * sec, write: 98 * sec}}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := live(t, Config{}, nil)
			for _, k := range c.ticks {
				w.lastRead, w.lastWrite, w.pending = k.read, k.write, k.pending
				s.checkPeer(k.now, 0)
			}
			w.pending = 0
			if dead := w.err() != nil; dead != c.dead || dead && !errors.Is(w.err(), ErrDisconnected) {
				t.Errorf("ended with %v", w.err())
			}
			pings := 0
			for _, f := range w.sent {
				if f.Op == frames.OpPing {
					pings++
				}
			}
			if pings != c.pings {
				t.Errorf("%d pings, want %d", pings, c.pings)
			}
		})
	}
}

func TestAStarvedProcessAccusesNobody(t *testing.T) {
	s, w := live(t, Config{}, nil)
	w.lastRead = 0
	s.life.pinged, s.life.asked = 1, 1          // and not answered
	s.checkPeer(20*time.Second, 19*time.Second) // 19 s late: this process did not run, the peer may have
	if w.err() != nil {
		t.Fatal(w.err())
	}
	s.checkPeer(21*time.Second, 0) // in time again, and still nothing received
	if w.err() == nil {
		t.Error("a dead peer is not noticed after a pause")
	}
}

// A starved process pings, or its peer would hear nothing, and leaves time to answer.
func TestALateTickAsksBeforeItAccuses(t *testing.T) {
	s, w := live(t, Config{}, nil)
	w.lastRead = 0
	s.checkPeer(20*time.Second, 19*time.Second)
	if len(w.sent) != 1 || w.sent[0].Op != frames.OpPing {
		t.Errorf("a late tick says %+v, want a ping", w.sent)
	}
	s.checkPeer(21*time.Second, 0)
	if w.err() != nil {
		t.Fatalf("one tick after the ping: %v", w.err())
	}
	s.checkPeer(23*time.Second, 0) // half of what is between PingAfter and DeadAfter is 2.5 s
	if w.err() == nil {
		t.Error("a dead peer is not noticed after a late tick")
	}
}

// What the kernel holds for this side is no silence, and room in the socket no stall. The
// peer goes on being pinged: it hears nothing of a side that is behind.
func TestAProcessThatIsBehindAccusesNobody(t *testing.T) {
	for name, pending := range map[string]int{"silent": 0, "takes no bytes": 9} {
		t.Run(name, func(t *testing.T) {
			s, w := live(t, Config{}, nil)
			w.lastRead, w.lastWrite, w.unread, w.room = 0, 0, true, pending > 0
			s.life.pinged, s.life.asked = 1, 1 // and not answered
			for now := 4 * time.Second; now < 20*time.Second; now += time.Second {
				w.pending = pending
				s.checkPeer(now, 0)
				w.pending = 0
			}
			if w.err() != nil {
				t.Fatal(w.err())
			}
			if pings := len(w.sent); pings != 4 {
				t.Errorf("%d pings in 16 s, want 4", pings)
			}
			w.pending, w.unread, w.room = pending, false, false
			s.checkPeer(21*time.Second, 0)
			w.pending = 0
			if w.err() == nil {
				t.Error("a dead peer is not noticed afterwards")
			}
		})
	}
}

// A peer that takes no bytes is given up, however much it says; one that takes some is not,
// though the socket has had no room for long.
func TestAPeerIsAliveByWhatItTakes(t *testing.T) {
	for _, slow := range []bool{false, true} {
		s, w := live(t, Config{}, nil)
		w.lastWrite, w.unread, w.unacked = 0, true, 1000
		for now := time.Second; now < 12*time.Second; now += time.Second {
			w.pending, w.lastRead = 9, now
			if slow {
				w.unacked--
			}
			s.checkPeer(now, 0)
			w.pending = 0
		}
		if dead := w.err() != nil; dead == slow {
			t.Errorf("slow: %v; ended with %v", slow, w.err())
		}
	}
}

func TestTheDefaultTimeoutEndsASingleAndTellsThePeer(t *testing.T) {
	s, w := live(t, Config{CallTimeout: time.Nanosecond}, nil)
	p, err := s.begin(context.Background(), 0, nil, destination{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.begin(WithoutTimeout(context.Background()), 0, nil, destination{})
	if err != nil {
		t.Fatal(err)
	}
	s.expireCalls()
	s.expireCalls()
	if _, err := p.wait(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if f := w.wait(t, frames.OpCancel, p.id); f.Code != CodeDeadlineExceeded {
		t.Errorf("%+v", f)
	}
	if s.takeCall(q.id) == nil {
		t.Error("WithoutTimeout has a timeout")
	}
	q.call.free()
}

func TestADeadlineTravelsAsTimeRemaining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes in between
		s, w := live(t, Config{CallTimeout: -1}, nil)
		for _, c := range []struct {
			left time.Duration
			want uint64 // microseconds on the wire
		}{{0, 0}, {time.Hour, 3600_000_000}, {time.Second, 1_000_000}, {time.Nanosecond, 1}} {
			ctx, cancel := context.Background(), func() {}
			if c.left > 0 {
				ctx, cancel = context.WithTimeout(ctx, c.left)
			}
			p, err := s.begin(ctx, 0, nil, destination{})
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if f := w.wait(t, frames.OpRequest, p.id); f.Timeout != c.want {
				t.Errorf("%v left travels as %d us", c.left, f.Timeout)
			}
			p.abandon(context.Canceled)
		}
	})
}

// 0 on the wire is no deadline at all.
func TestTheShortestDefaultTimeoutIsOneOnTheWire(t *testing.T) {
	s, w := live(t, Config{CallTimeout: time.Nanosecond}, nil)
	p, err := s.begin(context.Background(), 0, nil, destination{})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.wait(t, frames.OpRequest, p.id); f.Timeout != 1 {
		t.Errorf("a nanosecond travels as %d us", f.Timeout)
	}
	p.abandon(context.Canceled)
}
