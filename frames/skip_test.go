package frames_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/frames"
)

// values are some of each msgpack type, in all forms of their lengths.
func values() map[string]string {
	all := map[string]string{"nil": "\xc0", "false": "\xc2", "true": "\xc3", "a deep array": strings.Repeat("\x91", 1000) + "\xc0"}
	for first, length := range map[string]int{
		"\x00": 0, "\x7f": 0, "\xe0": 0, "\xff": 0, // fixint
		"\xa0": 0, "\xa5": 5, "\xbf": 31, // fixstr
		"\xd9\x05": 5, "\xda\x00\x05": 5, "\xdb\x00\x00\x00\x05": 5, "\xda\x01\x05": 261,
		"\xc4\x05": 5, "\xc5\x00\x05": 5, "\xc6\x00\x00\x00\x05": 5, "\xc6\x00\x01\x00\x05": 65541,
		"\xc7\x05": 6, "\xc8\x00\x05": 6, "\xc9\x00\x00\x00\x05": 6, // ext, and its type
		"\xd4": 2, "\xd5": 3, "\xd6": 5, "\xd7": 9, "\xd8": 17, // fixext
		"\xca": 4, "\xcb": 8, "\xcc": 1, "\xcd": 2, "\xce": 4, "\xcf": 8, "\xd0": 1, "\xd1": 2, "\xd2": 4, "\xd3": 8,
		"\x80": 0, "\x82": 4, "\x8f": 30, "\xde\x00\x02": 4, "\xdf\x00\x00\x00\x02": 4, // map
		"\x90": 0, "\x92": 2, "\x9f": 15, "\xdc\x00\x02": 2, "\xdd\x00\x00\x00\x02": 2, // array
	} {
		all[first] = first + strings.Repeat("\x01", length)
	}
	return all
}

func TestUnknownKeysOfAHelloAreSkippedWhateverTheirValue(t *testing.T) {
	for name, value := range values() {
		if rest, err := msgp.Skip([]byte(value)); err != nil || len(rest) > 0 {
			t.Fatalf("%q is no msgpack value: %d bytes behind, %v", name, len(rest), err)
		}
		got, err := frames.DecodeHandshake(helloWith("local", "\xa1a", "novelty", value, "", value, "remote", "\xa1b"))
		if err != nil || got.Hello.Local != "a" || got.Hello.Remote != "b" {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
}

func TestUnknownKeysOfAHelloThatAreCutAreRefused(t *testing.T) {
	for name, value := range values() {
		cut := value[:len(value)-1]
		if got, err := frames.DecodeHandshake(helloWith("local", "\xa1a", "novelty", cut)); !errors.Is(err, frames.ErrMalformed) {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	if got, err := frames.DecodeHandshake(helloWith("novelty", "\xc1")); !errors.Is(err, frames.ErrMalformed) {
		t.Errorf("the type that is never used: %+v, %v", got, err)
	}
}

// A level of nesting must not be a level of the stack: nobody has shown a credential
// yet.
func TestUnknownKeysOfAHelloMayBeOfAnyDepth(t *testing.T) {
	deep := strings.Repeat("\x91", 1_000_000)
	if _, err := frames.DecodeHandshake(helloWith("novelty", deep+"\xc0")); err != nil {
		t.Error(err)
	}
	if _, err := frames.DecodeHandshake(helloWith("novelty", deep)); !errors.Is(err, frames.ErrMalformed) {
		t.Error(err)
	}
}

func TestATableOfMoreHandlersThanThereAreNumbersIsRefused(t *testing.T) {
	h := frames.Hello{Handlers: make([]frames.HandlerInfo, 65536)}
	for i := range h.Handlers {
		h.Handlers[i].Kind = frames.KindSingle
	}
	if _, err := frames.DecodeHandshake(frames.AppendHello(nil, frames.OpHello, &h)); !errors.Is(err, frames.ErrMalformed) {
		t.Error(err)
	}
	h.Handlers = h.Handlers[:65535]
	if got, err := frames.DecodeHandshake(frames.AppendHello(nil, frames.OpHello, &h)); err != nil || len(got.Hello.Handlers) != 65535 {
		t.Errorf("%d handlers, %v", len(got.Hello.Handlers), err)
	}
}
