package frames_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// sizes and numbers are where the encodings of lengths and numbers change.
var (
	sizes   = []int{0, 1, 31, 32, 255, 256, 65535, 65536}
	numbers = []uint64{1, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64}
)

// variants are f with all its numbers set to each of numbers, and with payloads and
// texts of each of sizes.
func variants(f frames.Frame) []frames.Frame {
	var all []frames.Frame
	for _, n := range numbers {
		g := withNumbers(f, n)
		g.Payload, g.Text = nil, []byte("text")
		all = append(all, only(g))
	}
	for _, size := range sizes {
		g := withNumbers(f, uint64(size)+1)
		g.Text = bytes.Repeat([]byte("t"), size)
		g.Payload = bytes.Repeat([]byte{0xc1}, size)
		all = append(all, only(g))
	}
	zero := withNumbers(f, 0)
	zero.Mux = f.Mux
	return append(all, only(zero))
}

// withNumbers sets the numbers that f has.
func withNumbers(f frames.Frame, n uint64) frames.Frame {
	f.Mux, f.Timeout, f.Size, f.Credit = n, n, n, n
	f.Target, f.Code = uint32(min(n, math.MaxUint32)), frames.Code(min(n, math.MaxUint32))
	return only(f)
}

// only clears what the op and flags of f leave no room for.
func only(f frames.Frame) frames.Frame {
	g := frames.Frame{Op: f.Op}
	switch f.Op {
	case frames.OpRequest, frames.OpReply, frames.OpOpen, frames.OpData:
		g.Flags, g.Mux, g.Payload = f.Flags, f.Mux, f.Payload
		if f.Flags&frames.FlagCont != 0 {
			return g
		}
		if f.Flags&frames.FlagMore != 0 {
			g.Size = f.Size
		}
		if f.Op == frames.OpRequest || f.Op == frames.OpOpen {
			g.Target, g.Timeout = f.Target, f.Timeout
		}
		if f.Op == frames.OpOpen {
			g.Credit = f.Credit
		}
	case frames.OpCredit:
		g.Mux, g.Credit = f.Mux, f.Credit
	case frames.OpCloseSend:
		g.Mux = f.Mux
	case frames.OpStatus, frames.OpCancel:
		g.Mux, g.Code, g.Text = f.Mux, f.Code, f.Text
	case frames.OpPing, frames.OpPong:
		g.Credit = f.Credit
	case frames.OpGoaway:
		g.Code, g.Text = f.Code, f.Text
	}
	return g
}

func TestEveryFrameComesBackAsItWasAndIsWhatTheSpecSays(t *testing.T) {
	rows := layouts(t)
	used := map[layoutKey]bool{}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			for _, f := range variants(k.frame) {
				b := frames.Append(nil, &f)
				checkRoundTrip(t, &f, b)
				checkLayout(t, &f, b, rows[keyOf(&f)])
			}
			used[keyOf(&k.frame)] = true
		})
	}
	for key := range rows {
		if !used[key] {
			t.Errorf("no frame has the layout of %s %s", key.op, key.flags)
		}
	}
}

// checkRoundTrip decodes b with something behind it.
func checkRoundTrip(t *testing.T, f *frames.Frame, b []byte) {
	t.Helper()
	behind := []byte("behind")
	g := frames.Frame{Op: 99, Flags: 99, Mux: 99, Target: 99, Timeout: 99, Size: 99, Credit: 99, Code: 99, Text: behind, Payload: behind}
	rest, err := frames.Decode(append(b[:len(b):len(b)], behind...), &g)
	if err != nil || !bytes.Equal(rest, behind) || !equal(f, &g) {
		t.Fatalf("%s came back as %s, then %q, %v", describe(f), describe(&g), rest, err)
	}
	if cap(g.Payload) != len(g.Payload) || cap(g.Text) != len(g.Text) {
		t.Errorf("an append to what was decoded from %s would overwrite what follows", describe(f))
	}
	if n := len(b) - len(f.Payload) - len(f.Text); n > frames.MaxOverhead {
		t.Errorf("%s takes %d bytes beside its payload", describe(f), n)
	}
}

// checkLayout compares b with a row of SPEC.md, by msgp's reader.
func checkLayout(t *testing.T, f *frames.Frame, b []byte, row []string) {
	t.Helper()
	got := elements(t, b)
	if len(got) != len(row) {
		t.Fatalf("%s has %d elements, the spec says %v", describe(f), len(got), row)
	}
	if fmt.Sprint(got[0]) != row[0] || got[0] != uint64(f.Op) {
		t.Fatalf("%s has op %v, the spec says %v", describe(f), got[0], row[0])
	}
	for i, name := range row[1:] {
		if want := element(f, name); !reflect.DeepEqual(got[i+1], want) {
			t.Fatalf("%s: %s is %v, want %v", describe(f), name, got[i+1], want)
		}
	}
}

// describe is f without the bytes of its payload and text.
func describe(f *frames.Frame) string {
	g := *f
	g.Payload, g.Text = nil, nil
	return fmt.Sprintf("%v%+v with %d bytes of payload (nil %v), %d of text", f.Op, g, len(f.Payload), f.Payload == nil, len(f.Text))
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	before := []byte("before")
	for _, k := range kinds() {
		b := frames.Append(before[:len(before):len(before)], &k.frame)
		if !bytes.HasPrefix(b, before) || !bytes.Equal(b[len(before):], frames.Append(nil, &k.frame)) {
			t.Errorf("%s appended to %q makes %x", k.name, before, b)
		}
	}
}
