package frames_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

func TestEveryTruncationOfAFrameIsAnError(t *testing.T) {
	for _, k := range kinds() {
		b := frames.Append(nil, &k.frame)
		for n := range b {
			var f frames.Frame
			rest, err := frames.Decode(b[:n:n], &f)
			if !errors.Is(err, frames.ErrTruncated) || rest != nil {
				t.Errorf("%s cut to %d of %d bytes: %d bytes behind, %v", k.name, n, len(b), len(rest), err)
			}
		}
	}
}

func TestWhatIsNotAFrameIsRefusedWithItsReason(t *testing.T) {
	const none, cut, bad, op = "", "truncated", "malformed", "unknown op"
	sentinels := map[string]error{cut: frames.ErrTruncated, bad: frames.ErrMalformed, op: frames.ErrUnknownOp}
	for _, c := range []struct {
		name string
		b    string
		want string
	}{
		{"nothing", "", cut},
		{"an array without an op", "\x92", cut},
		{"a map", "\x82\x0c\x01", bad},
		{"an array16", "\xdc\x00\x02\x0c\x01", bad},
		{"an array32", "\xdd\x00\x00\x00\x02\x0c\x01", bad},
		{"a number", "\x0c\x01", bad},
		{"the 0 of a zeroed buffer", "\x00\x00\x00", bad},

		{"op 0", "\x92\x00\x01", op},
		{"a hello in a batch", "\x92\x01\x80", op},
		{"an accept in a batch", "\x92\x02\x80", op},
		{"a refusal in a batch", "\x93\x03\x20\xa0", op},
		{"the op behind the last", "\x92\x0f\x01", op},
		{"the greatest op", "\x92\x7f\x01", op},
		{"an op in uint8", "\x92\xcc\x0c\x01", op},
		{"a negative op", "\x92\xff\x01", op},

		{"flag 4", "\x94\x05\x04\x01\xc0", bad},
		{"all flags", "\x94\x05\x7f\x01\xc0", bad},
		{"flags in uint8", "\x94\x05\xcc\x01\x01\xc0", bad},
		{"flags that are nil", "\x94\x05\xc0\x01\xc0", bad},

		{"mux 0 of a request", "\x96\x04\x00\x00\x00\x00\xc0", bad},
		{"mux 0 of a reply", "\x94\x05\x00\x00\xc0", bad},
		{"mux 0 of an open", "\x97\x06\x00\x00\x00\x00\x01\xc0", bad},
		{"mux 0 of data", "\x94\x07\x00\x00\xc0", bad},
		{"mux 0 of a fragment", "\x94\x07\x02\x00\xc0", bad},
		{"mux 0 of a close-send", "\x92\x09\x00", bad},
		{"mux 0 of a status", "\x94\x0a\x00\x01\xa0", bad},
		{"mux 0 of a cancel", "\x94\x0b\x00\x01\xa0", bad},
		{"mux 0 of a credit", "\x93\x08\x00\x01", none},

		{"uint8 of 127", "\x92\x0c\xcc\x7f", bad},
		{"uint8 of 128", "\x92\x0c\xcc\x80", none},
		{"uint16 of 255", "\x92\x0c\xcd\x00\xff", bad},
		{"uint16 of 256", "\x92\x0c\xcd\x01\x00", none},
		{"uint32 of 65535", "\x92\x0c\xce\x00\x00\xff\xff", bad},
		{"uint32 of 65536", "\x92\x0c\xce\x00\x01\x00\x00", none},
		{"uint64 of 2^32-1", "\x92\x0c\xcf\x00\x00\x00\x00\xff\xff\xff\xff", bad},
		{"uint64 of 2^32", "\x92\x0c\xcf\x00\x00\x00\x01\x00\x00\x00\x00", none},
		{"a negative fixint", "\x92\x0c\xe0", bad},
		{"an int8", "\x92\x0c\xd0\x01", bad},
		{"an int64", "\x92\x0c\xd3\x00\x00\x00\x01\x00\x00\x00\x00", bad},
		{"a float", "\x92\x0c\xca\x3f\x80\x00\x00", bad},
		{"a str for a number", "\x92\x0c\xa1\x31", bad},
		{"a target of 2^32", "\x96\x04\x00\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x00\xc0", bad},
		{"a code of 2^32", "\x93\x0e\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa0", bad},

		{"a str as payload", "\x94\x05\x00\x01\xa1x", bad},
		{"an array as payload", "\x94\x05\x00\x01\x90", bad},
		{"false as payload", "\x94\x05\x00\x01\xc2", bad},
		{"bin16 of 255", "\x94\x05\x00\x01\xc5\x00\xff" + strings.Repeat("x", 255), bad},
		{"bin32 of 65535", "\x94\x05\x00\x01\xc6\x00\x00\xff\xff" + strings.Repeat("x", 65535), bad},
		{"bin8 of 0", "\x94\x05\x00\x01\xc4\x00", none},
		{"a payload of 4 GiB that is not there", "\x94\x05\x00\x01\xc6\xff\xff\xff\xff", cut},

		{"a bin as text", "\x93\x0e\x07\xc4\x01x", bad},
		{"nil as text", "\x93\x0e\x07\xc0", bad},
		{"str8 of 0", "\x93\x0e\x07\xd9\x00", bad},
		{"str8 of 31", "\x93\x0e\x07\xd9\x1f" + strings.Repeat("x", 31), bad},
		{"str16 of 255", "\x93\x0e\x07\xda\x00\xff" + strings.Repeat("x", 255), bad},
		{"str32 of 65535", "\x93\x0e\x07\xdb\x00\x00\xff\xff" + strings.Repeat("x", 65535), bad},
		{"a text of 4 GiB that is not there", "\x93\x0e\x07\xdb\xff\xff\xff\xff", cut},
	} {
		var f frames.Frame
		rest, err := frames.Decode([]byte(c.b), &f)
		if c.want == none {
			if err != nil || len(rest) > 0 {
				t.Errorf("%s: %d bytes behind, %v", c.name, len(rest), err)
			}
			continue
		}
		if !errors.Is(err, sentinels[c.want]) || rest != nil {
			t.Errorf("%s: decoded as %s, %v; want %q", c.name, describe(&f), err, c.want)
		}
	}
}

func TestAnotherNumberOfElementsIsRefused(t *testing.T) {
	for _, k := range kinds() {
		b := frames.Append(nil, &k.frame)
		right := b[0]
		for n := range byte(16) {
			if b[0] = 0x90 | n; b[0] == right {
				continue
			}
			var f frames.Frame
			// Enough behind it for any number of elements.
			if _, err := frames.Decode(append(bytes.Clone(b), make([]byte, 64)...), &f); !errors.Is(err, frames.ErrMalformed) {
				t.Errorf("%s with %d elements: %v", k.name, n, err)
			}
		}
	}
}

func TestOtherFlagsOfAKindOfFrameChangeItsLayout(t *testing.T) {
	rows := layouts(t)
	for _, k := range kinds() {
		if keyOf(&k.frame).flags == "" {
			continue
		}
		for flags := range byte(4) {
			b := frames.Append(nil, &k.frame)
			b[2] = flags
			var f frames.Frame
			_, err := frames.Decode(b, &f)
			changes := len(rows[keyOf(&frames.Frame{Op: k.frame.Op, Flags: frames.Flags(flags)})]) != int(b[0]&0x0f)
			if changes != errors.Is(err, frames.ErrMalformed) {
				t.Errorf("%s with flags %d: %v", k.name, flags, err)
			}
		}
	}
}

// No byte of a frame can be changed so that it decodes to something else than what the
// changed bytes say: what is decoded is encoded to the same bytes again.
func TestEveryChangedByteIsRefusedOrMeansWhatItSays(t *testing.T) {
	for _, k := range kinds() {
		whole := frames.Append(nil, &k.frame)
		for i := range whole {
			for v := range 256 {
				b := bytes.Clone(whole)
				b[i] = byte(v)
				if err := checkCanonical(b); err != nil {
					t.Errorf("%s, byte %d set to %#x: %v", k.name, i, v, err)
				}
			}
		}
	}
}

// checkCanonical decodes b; if that works, what was decoded must be encoded as b was.
func checkCanonical(b []byte) error {
	var f frames.Frame
	rest, err := frames.Decode(b, &f)
	if err != nil {
		for _, known := range []error{frames.ErrTruncated, frames.ErrMalformed, frames.ErrUnknownOp} {
			if errors.Is(err, known) {
				return nil
			}
		}
		return fmt.Errorf("an error of no kind: %w", err)
	}
	if again := frames.Append(nil, &f); !bytes.Equal(append(again, rest...), b) {
		return fmt.Errorf("%x was decoded as %s, which is %x", b, describe(&f), again)
	}
	return nil
}

func TestGoldenFramesOfOneDirectionAreNoneOfTheOpeningExchange(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b := readGolden(t, file)
		var f frames.Frame
		_, frameErr := frames.Decode(b, &f)
		_, helloErr := frames.DecodeHandshake(b)
		if frameErr == nil && helloErr == nil {
			t.Errorf("%s is a frame of a batch and one of the opening exchange", file)
		}
	}
}
