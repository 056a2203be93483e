package test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// patience is how long a test waits for what must happen soon. It is virtual time in
// a bubble, and never spent when all is well.
const patience = 30 * time.Second

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-time.After(time.Millisecond)
	}
}

// receive returns what comes from a channel soon.
func receive[T any](t testing.TB, what string, from <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v = <-from:
	case <-timer.C:
		t.Fatalf("not within %v: %s", patience, what)
	}
	return v
}

// active describes what goes on over a connection; empty if it is idle.
func active(st gridnode.ConnectionStats) string {
	var what []string
	for _, c := range []struct {
		n    int
		name string
	}{
		{st.Calls, "calls"}, {st.Streams, "streams"},
		{st.ServingCalls, "calls served"}, {st.ServingStreams, "streams served"},
		{st.HeldBytes, "bytes held"}, {st.QueuedBytes, "bytes queued"},
	} {
		if c.n != 0 {
			what = append(what, fmt.Sprint(c.n, " ", c.name))
		}
	}
	return strings.Join(what, ", ")
}

// wantIdle fails the test unless both sides are idle soon.
func (p *pair) wantIdle(t testing.TB) {
	t.Helper()
	if p.Node(p.caller) == nil || p.Node(p.server) == nil {
		return
	}
	var near, far string
	idle := func() bool {
		near, far = active(p.conn.Stats()), active(p.back.Stats())
		return near == "" && far == ""
	}
	for deadline := time.Now().Add(patience); !idle(); {
		if time.Now().After(deadline) {
			t.Fatalf("not idle at the end: caller has %s; server has %s", near, far)
		}
		<-time.After(time.Millisecond)
	}
}

// steady waits until nothing moves over the connection any more.
func (p *pair) steady(t testing.TB) {
	t.Helper()
	var last gridnode.ConnectionStats
	same := 0
	eventually(t, "nothing moves any more", func() bool {
		st := p.conn.Stats()
		if st.QueuedBytes > 0 || st.BytesIn != last.BytesIn || st.BytesOut != last.BytesOut {
			same = 0
		}
		last = st
		same++
		return same > 20
	})
}

// serves waits until calls go through again.
func (p *pair) serves(t testing.TB) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err = p.conn.Request(t.Context(), hEcho, []byte("there?")); err == nil {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("no call goes through within %v: %v; state %v: %v", patience, err, p.conn.State(), p.conn.Err())
}

// wantIs fails the test unless errors.Is holds.
func wantIs(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("error %v (%T), want %v", err, err, target)
	}
}

// wantEcho makes one call and checks its answer.
func wantEcho(t testing.TB, to gridnode.Target, text string) {
	t.Helper()
	resp, err := to.Request(t.Context(), hEcho, []byte(text))
	if err != nil || string(resp) != text {
		t.Errorf("echo of %q: %q, %v", text, resp, err)
	}
}

// wantWithin fails the test if a call took longer than it may: exactly at most d in
// virtual time, with a margin for the machine in real time that is below CloseTimeout
// and DeadAfter, for which nothing may have waited.
func (b *rig) wantWithin(t testing.TB, what string, start time.Time, d time.Duration) {
	t.Helper()
	if !b.virtual() {
		d += 4 * time.Second
	}
	if took := time.Since(start); took > d {
		t.Errorf("%s took %v, want at most %v", what, took, d)
	}
}

// background is a context that never ends; t.Context, which most tests use, does.
var background = context.Background()
