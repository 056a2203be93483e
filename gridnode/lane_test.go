package gridnode

import (
	"bytes"
	"errors"
	"testing"
)

// lanes returns both kinds with this room, and how often their pumps were started.
func lanes(room int) (r *responses, q *requests, pumps *int) {
	r, q, pumps = newResponses(new(Stream), room), newRequests(room), new(int)
	r.begin(func() { *pumps++ })
	return r, q, pumps
}

func TestALaneTakesWhatItHasRoomForAndThenStartsItsPumpOnce(t *testing.T) {
	r, q, pumps := lanes(3)
	for _, l := range []lane{r, q} {
		for i, want := range []offered{laneTakes, laneTakes, laneTakes, laneOverflows, laneRefuses} {
			if got := l.offer([]byte{byte(i)}); got != want {
				t.Errorf("%T, message %d: %d, want %d", l, i, got, want)
			}
		}
	}
	<-r.c
	if got := r.offer(nil); got != laneRefuses {
		t.Errorf("a message overtakes those in the mailbox: %d", got)
	}
	r.close(nil) // the pump's to do
	r.poison(errors.New("x"))
	q.begin(func() { *pumps++ }) // it had no pump yet
	if len(r.c) != 2 || len(q.c) != 3 || *pumps != 2 {
		t.Errorf("%d and %d messages, %d pumps", len(r.c), len(q.c), *pumps)
	}
}

func TestALaneWithoutRoomIsPumpedFromTheStart(t *testing.T) {
	r, q, pumps := lanes(0)
	q.begin(func() { *pumps++ })
	if got := r.offer(nil); got != laneRefuses || q.offer(nil) != laneRefuses || *pumps != 2 {
		t.Errorf("%d, %d pumps", got, *pumps)
	}
}

func TestALargeMessageIsNotForTheLane(t *testing.T) {
	r, _, pumps := lanes(3)
	if got := r.offer(bytes.Repeat([]byte{1}, laneLimit+1)); got != laneOverflows || *pumps != 1 {
		t.Errorf("%d, %d pumps", got, *pumps)
	}
}

func TestTheEndOfALane(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		what string
		end  func(l lane)
		want []error // of the responses after one that came; then the channel is closed
		open bool    // the requests' channel is
	}{
		{"clean", func(l lane) { l.close(nil) }, []error{nil}, false},
		{"failed", func(l lane) { l.close(cause) }, []error{nil, cause}, true},
		{"poisoned", func(l lane) { l.poison(cause) }, []error{cause}, true},
	} {
		r, q, pumps := lanes(1)
		for _, l := range []lane{r, q} {
			l.offer([]byte("x"))
			c.end(l)
			c.end(l)
			if l.offer(nil) != laneRefuses {
				t.Errorf("%s: takes more", c.what)
			}
		}
		for i, want := range c.want {
			if got := <-r.c; got.Err != want {
				t.Errorf("%s: response %d has %v", c.what, i, got.Err)
			}
		}
		if got, ok := <-r.c; ok {
			t.Errorf("%s: not ended, %v", c.what, got)
		}
		<-q.c
		select {
		case _, ok := <-q.c:
			if ok || c.open {
				t.Errorf("%s: closed is %v", c.what, !ok)
			}
		default:
			if !c.open {
				t.Errorf("%s: requests not closed", c.what)
			}
		}
		if *pumps > 0 {
			t.Errorf("%s: a pump was started", c.what)
		}
	}
}
