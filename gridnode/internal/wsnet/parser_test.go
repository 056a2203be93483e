package wsnet

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// roles are the parsers of both ends.
var roles = map[string]func(most int) *parser{"server": server, "client": client}

func forEachRole(t *testing.T, test func(t *testing.T, parserOf func(most int) *parser)) {
	for name, role := range roles {
		t.Run(name, func(t *testing.T) { test(t, role) })
	}
}

// conversation is a stream with all that may occur in one, and what it says.
func conversation(p *parser) (stream []byte, want []event) {
	add := func(first byte, payload string) { stream = append(stream, sent(p, first, []byte(payload))...) }
	add(fin|opBinary, "whole")
	add(fin|opBinary, "")
	add(opBinary, "frag")
	add(fin|opPing, "between")
	add(opContinuation, "")
	add(fin|opPong, "")
	add(opContinuation, "men")
	add(fin|opContinuation, "ted")
	add(fin|opPing, strings.Repeat("p", maxControl))
	add(fin|opBinary, strings.Repeat("x", 126))
	add(opBinary, "")
	add(fin|opContinuation, "")
	add(fin|opBinary, strings.Repeat("y", 300))
	add(fin|opClose, "\x03\xe8bye")
	return stream, []event{
		{opBinary, "whole"}, {opBinary, ""}, {opPing, "between"}, {opPong, ""}, {opBinary, "fragmented"},
		{opPing, strings.Repeat("p", maxControl)}, {opBinary, strings.Repeat("x", 126)}, {opBinary, ""},
		{opBinary, strings.Repeat("y", 300)}, {opClose, "\x03\xe8bye"},
	}
}

func TestEverySplitGivesTheSameMessages(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		stream, want := conversation(parserOf(0))
		for i := range stream {
			for _, cuts := range [][]int{{i}, {i, min(i+1, len(stream))}, {i, min(i+7, len(stream))}} {
				p := parserOf(1 << 10)
				got, err := feedAll(p, stream, cuts...)
				if err != nil {
					t.Fatalf("cut at %v: %v", cuts, err)
				}
				wantEvents(t, got, want)
				if !p.between() || p.message != nil || p.control != nil {
					t.Fatalf("cut at %v: something is left: %+v", cuts, p)
				}
			}
		}
	})
}

func TestByteByByteGivesTheSameMessages(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		stream, want := conversation(parserOf(0))
		cuts := make([]int, len(stream))
		for i := range cuts {
			cuts[i] = i
		}
		got, err := feedAll(parserOf(1<<10), stream, cuts...)
		if err != nil {
			t.Fatal(err)
		}
		wantEvents(t, got, want)
	})
}

// TestNeedStopsBetweenFrames is what ReadMessage relies on: fed no more than need, a
// parser never sees a byte of the next frame.
func TestNeedStopsBetweenFrames(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		stream, want := conversation(parserOf(0))
		p := parserOf(1 << 10)
		var l log
		for rest := stream; len(rest) > 0; {
			n := p.need()
			if n <= 0 || n > len(rest) {
				t.Fatalf("needs %d of %d bytes", n, len(rest))
			}
			before := len(l.events)
			if err := p.feed(bytes.Clone(rest[:n]), &l); err != nil {
				t.Fatal(err)
			}
			if len(l.events) > before+1 {
				t.Fatal("two events of one need")
			}
			rest = rest[n:]
		}
		wantEvents(t, l.events, want)
	})
}

func TestFramesOfGobwasAreParsed(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		p := parserOf(1 << 20)
		var stream bytes.Buffer
		var want []event
		add := func(f ws.Frame) {
			if p.masked {
				f = ws.MaskFrame(f)
			}
			ws.MustWriteFrame(&stream, f)
		}
		for _, n := range lengths {
			add(ws.NewFrame(ws.OpBinary, false, pattern(n)))
			add(ws.NewPingFrame([]byte("p")))
			add(ws.NewFrame(ws.OpContinuation, true, nil))
			add(ws.NewBinaryFrame(pattern(n)))
			want = append(want, event{opPing, "p"}, event{opBinary, string(pattern(n))}, event{opBinary, string(pattern(n))})
		}
		got, err := feedAll(p, stream.Bytes(), 1000, 70_000, 400_000)
		if err != nil {
			t.Fatal(err)
		}
		wantEvents(t, got, want)
	})
}

func TestFramesOfAnyKeyAreRead(t *testing.T) {
	for _, key := range [][4]byte{{}, {1, 0, 0, 0}, {0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff}, key} {
		for _, n := range lengths[:len(lengths)-1] {
			f := rawFrame{first: fin | opBinary, key: &key, payload: pattern(n), form: -1}.bytes()
			for _, cut := range []int{0, 1, len(f) / 2, len(f) - 1} {
				got, err := feedAll(server(1<<20), f, cut)
				if err != nil || len(got) != 1 || got[0].payload != string(pattern(n)) {
					t.Fatalf("key %x, %d bytes, cut at %d: %v, %v", key, n, cut, got, err)
				}
			}
		}
	}
}

func TestAnErrorOfTheSinkEndsTheParsing(t *testing.T) {
	for _, cut := range []int{0, 3} { // in one piece, and put together
		l := log{fail: errStarting}
		p := client(100)
		stream := slices.Concat(sent(p, fin|opBinary, []byte("one")), sent(p, fin|opBinary, []byte("two")))
		err := p.feed(stream[:cut], &l)
		if err == nil {
			err = p.feed(stream[cut:], &l)
		}
		if err != errStarting || len(l.events) != 1 {
			t.Fatalf("cut at %d: %v after %v", cut, err, l.events)
		}
	}
}

func TestLongFragmentedMessage(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		p := parserOf(1 << 20)
		want := pattern(1 << 20)
		var stream []byte
		for i := 0; i < len(want); i += 1 << 10 {
			first := byte(opContinuation)
			if i == 0 {
				first = opBinary
			}
			if i+1<<10 == len(want) {
				first |= fin
			}
			stream = append(stream, sent(p, first, want[i:i+1<<10])...)
		}
		got, err := feedAll(p, stream)
		if err != nil || len(got) != 1 || got[0].payload != string(want) {
			t.Fatalf("%v, %v", got, err)
		}
	})
}
