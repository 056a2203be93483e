package frames_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/frames"
)

// The seeds of all targets are files in testdata/fuzz; seeds_test.go makes them.

// What is decoded is encoded to the same bytes again, and msgp's reader finds the same
// elements in them.
func FuzzDecode(f *testing.F) {
	rows := layouts(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := checkCanonical(b); err != nil {
			t.Fatal(err)
		}
		var frame frames.Frame
		if rest, err := frames.Decode(b, &frame); err == nil {
			checkLayout(t, &frame, b[:len(b)-len(rest)], rows[keyOf(&frame)])
		}
	})
}

// A batch is refused, or is made of frames; one that is given its checksum is taken.
func FuzzBatch(f *testing.F) {
	f.Fuzz(func(t *testing.T, batch []byte) {
		body, err := frames.CheckBatch(batch)
		if err != nil {
			if err != frames.ErrChecksum || body != nil {
				t.Fatalf("%x, %v", body, err)
			}
			if len(batch) < frames.ChecksumSize {
				return
			}
			batch = bytes.Clone(batch) // the input is not ours to change
			frames.PutChecksum(batch)
			if body, err = frames.CheckBatch(batch); err != nil {
				t.Fatalf("its own checksum: %v", err)
			}
		}
		if !bytes.Equal(body, batch[frames.ChecksumSize:]) {
			t.Fatalf("the body is %x", body)
		}
		fs, err := decodeAll(body)
		var again []byte
		for i := range fs {
			again = frames.Append(again, &fs[i])
		}
		if !bytes.HasPrefix(body, again) || err == nil && len(again) != len(body) {
			t.Fatalf("%d frames of %x are %x, then %v", len(fs), body, again, err)
		}
	})
}

// What is decoded comes back from its own encoding, and is msgpack to msgp too.
func FuzzHandshake(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := frames.DecodeHandshake(b)
		if err != nil {
			if !errors.Is(err, frames.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if rest, err := msgp.Skip(b); len(rest) > 0 || err != nil && err != msgp.ErrRecursion {
			t.Fatalf("msgp finds %d bytes behind, %v", len(rest), err)
		}
		var again []byte
		switch h.Op {
		case frames.OpHello, frames.OpAccept:
			again = frames.AppendHello(nil, h.Op, &h.Hello)
		case frames.OpRefuse:
			again = frames.AppendRefuse(nil, h.Code, h.Reason)
		default:
			t.Fatalf("op %v", h.Op)
		}
		if got, err := frames.DecodeHandshake(again); err != nil || !reflect.DeepEqual(got, h) {
			t.Fatalf("%+v came back as %+v, %v", h, got, err)
		}
	})
}

// Any frame that a sender may make comes back as it was, and is what SPEC.md says.
func FuzzRoundTrip(f *testing.F) {
	rows := layouts(f)
	f.Fuzz(func(t *testing.T, op, flags byte, mux uint64, target uint32, timeout, size, credit uint64, code uint32, text, payload []byte, noPayload bool) {
		ops := byte(frames.OpGoaway - frames.OpRequest + 1)
		frame := frames.Frame{
			Op: frames.OpRequest + frames.Op(op%ops), Flags: frames.Flags(flags & 3), Mux: mux,
			Target: target, Timeout: timeout, Size: size, Credit: credit, Code: frames.Code(code), Text: text, Payload: payload,
		}
		if mux == 0 && frame.Op != frames.OpCredit {
			frame.Mux = 1
		}
		if noPayload {
			frame.Payload = nil
		}
		b := frames.Append(nil, &frame)
		sent := only(frame) // the other fields are not on the wire
		checkRoundTrip(t, &sent, b)
		checkLayout(t, &sent, b, rows[keyOf(&sent)])
	})
}
