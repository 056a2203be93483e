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

// strange are inputs by their bytes, and what is wrong with them; nil is nothing.
var strange = []struct {
	name string
	b    string
	want error
}{
	{"nothing", "", frames.ErrTruncated},
	{"an array without an op", "\x92", frames.ErrTruncated},
	{"a map", "\x82\x0c\x01", frames.ErrMalformed},
	{"an array16", "\xdc\x00\x02\x0c\x01", frames.ErrMalformed},
	{"an array32", "\xdd\x00\x00\x00\x02\x0c\x01", frames.ErrMalformed},
	{"a number", "\x0c\x01", frames.ErrMalformed},
	{"the 0 of a zeroed buffer", "\x00\x00\x00", frames.ErrMalformed},

	{"op 0", "\x92\x00\x01", frames.ErrUnknownOp},
	{"a hello in a batch", "\x92\x01\x80", frames.ErrUnknownOp},
	{"an accept in a batch", "\x92\x02\x80", frames.ErrUnknownOp},
	{"a refusal in a batch", "\x93\x03\x20\xa0", frames.ErrUnknownOp},
	{"the op behind the last", "\x92\x0f\x01", frames.ErrUnknownOp},
	{"the greatest op", "\x92\x7f\x01", frames.ErrUnknownOp},
	{"an op in uint8", "\x92\xcc\x0c\x01", frames.ErrUnknownOp},
	{"a negative op", "\x92\xff\x01", frames.ErrUnknownOp},

	{"flag 4", "\x94\x05\x04\x01\xc0", frames.ErrMalformed},
	{"all flags", "\x94\x05\x7f\x01\xc0", frames.ErrMalformed},
	{"flags in uint8", "\x94\x05\xcc\x01\x01\xc0", frames.ErrMalformed},
	{"flags that are nil", "\x94\x05\xc0\x01\xc0", frames.ErrMalformed},

	{"mux 0 of a request", "\x96\x04\x00\x00\x00\x00\xc0", frames.ErrMalformed},
	{"mux 0 of a reply", "\x94\x05\x00\x00\xc0", frames.ErrMalformed},
	{"mux 0 of an open", "\x97\x06\x00\x00\x00\x00\x01\xc0", frames.ErrMalformed},
	{"mux 0 of data", "\x94\x07\x00\x00\xc0", frames.ErrMalformed},
	{"mux 0 of a fragment", "\x94\x07\x02\x00\xc0", frames.ErrMalformed},
	{"mux 0 of a close-send", "\x92\x09\x00", frames.ErrMalformed},
	{"mux 0 of a status", "\x94\x0a\x00\x01\xa0", frames.ErrMalformed},
	{"mux 0 of a cancel", "\x94\x0b\x00\x01\xa0", frames.ErrMalformed},
	{"mux 0 of a credit", "\x93\x08\x00\x01", nil},

	{"uint8 of 127", "\x92\x0c\xcc\x7f", frames.ErrMalformed},
	{"uint8 of 128", "\x92\x0c\xcc\x80", nil},
	{"uint16 of 255", "\x92\x0c\xcd\x00\xff", frames.ErrMalformed},
	{"uint16 of 256", "\x92\x0c\xcd\x01\x00", nil},
	{"uint32 of 65535", "\x92\x0c\xce\x00\x00\xff\xff", frames.ErrMalformed},
	{"uint32 of 65536", "\x92\x0c\xce\x00\x01\x00\x00", nil},
	{"uint64 of 2^32-1", "\x92\x0c\xcf\x00\x00\x00\x00\xff\xff\xff\xff", frames.ErrMalformed},
	{"uint64 of 2^32", "\x92\x0c\xcf\x00\x00\x00\x01\x00\x00\x00\x00", nil},
	{"a negative fixint", "\x92\x0c\xe0", frames.ErrMalformed},
	{"an int8", "\x92\x0c\xd0\x01", frames.ErrMalformed},
	{"an int64", "\x92\x0c\xd3\x00\x00\x00\x01\x00\x00\x00\x00", frames.ErrMalformed},
	{"a float", "\x92\x0c\xca\x3f\x80\x00\x00", frames.ErrMalformed},
	{"a str for a number", "\x92\x0c\xa1\x31", frames.ErrMalformed},
	{"a target of 2^32", "\x96\x04\x00\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x00\xc0", frames.ErrMalformed},
	{"a code of 2^32", "\x93\x0e\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa0", frames.ErrMalformed},

	{"a str as payload", "\x94\x05\x00\x01\xa1x", frames.ErrMalformed},
	{"an array as payload", "\x94\x05\x00\x01\x90", frames.ErrMalformed},
	{"false as payload", "\x94\x05\x00\x01\xc2", frames.ErrMalformed},
	{"bin16 of 255", "\x94\x05\x00\x01\xc5\x00\xff" + strings.Repeat("x", 255), frames.ErrMalformed},
	{"bin32 of 65535", "\x94\x05\x00\x01\xc6\x00\x00\xff\xff" + strings.Repeat("x", 65535), frames.ErrMalformed},
	{"bin8 of 0", "\x94\x05\x00\x01\xc4\x00", nil},
	{"a payload of 4 GiB that is not there", "\x94\x05\x00\x01\xc6\xff\xff\xff\xff", frames.ErrTruncated},

	{"a bin as text", "\x93\x0e\x07\xc4\x01x", frames.ErrMalformed},
	{"nil as text", "\x93\x0e\x07\xc0", frames.ErrMalformed},
	{"str8 of 0", "\x93\x0e\x07\xd9\x00", frames.ErrMalformed},
	{"str8 of 31", "\x93\x0e\x07\xd9\x1f" + strings.Repeat("x", 31), frames.ErrMalformed},
	{"str16 of 255", "\x93\x0e\x07\xda\x00\xff" + strings.Repeat("x", 255), frames.ErrMalformed},
	{"str32 of 65535", "\x93\x0e\x07\xdb\x00\x00\xff\xff" + strings.Repeat("x", 65535), frames.ErrMalformed},
	{"a text of 4 GiB that is not there", "\x93\x0e\x07\xdb\xff\xff\xff\xff", frames.ErrTruncated},
}

func TestWhatIsNotAFrameIsRefusedWithItsReason(t *testing.T) {
	for _, c := range strange {
		var f frames.Frame
		rest, err := frames.Decode([]byte(c.b), &f)
		if c.want == nil {
			if err != nil || len(rest) > 0 {
				t.Errorf("%s: %d bytes behind, %v", c.name, len(rest), err)
			}
			continue
		}
		if !errors.Is(err, c.want) || rest != nil {
			t.Errorf("%s: decoded as %s, %v; want %v", c.name, describe(&f), err, c.want)
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
