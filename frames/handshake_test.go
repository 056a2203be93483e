package frames_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/frames"
)

func TestTheOpeningExchangeComesBackAsItWas(t *testing.T) {
	full := fullHello()
	many := frames.Hello{Handlers: make([]frames.HandlerInfo, 5000)}
	for i := range many.Handlers {
		many.Handlers[i] = frames.HandlerInfo{ID: uint16(i + 1), Kind: frames.Kind(i%2 + 1), In: uint32(i), Out: uint32(i) << 16, Route: strings.Repeat("r", i%40)}
	}
	most := frames.Hello{
		Version: 1<<32 - 1, Local: strings.Repeat("l", 300), Remote: strings.Repeat("r", 70_000), Token: "\xff\x00",
		Features: 1<<64 - 1, MaxMessage: 1<<64 - 1, Window: 1<<64 - 1, MaxMuxes: 1<<32 - 1,
	}
	for name, h := range map[string]frames.Hello{"zero": {}, "full": full, "many handlers": many, "greatest values": most} {
		for _, op := range []frames.Op{frames.OpHello, frames.OpAccept} {
			got, err := frames.DecodeHandshake(frames.AppendHello(nil, op, &h))
			if err != nil || !reflect.DeepEqual(got, frames.Handshake{Op: op, Hello: h}) {
				t.Errorf("%s as %v: %v", name, op, err)
			}
		}
	}
	for _, reason := range []string{"", "no", strings.Repeat("long ", 20_000)} {
		got, err := frames.DecodeHandshake(frames.AppendRefuse(nil, 1<<32-1, reason))
		if err != nil || !reflect.DeepEqual(got, frames.Handshake{Op: frames.OpRefuse, Code: 1<<32 - 1, Reason: reason}) {
			t.Errorf("a refusal of %d bytes: %v", len(reason), err)
		}
	}
}

func TestEveryTruncationOfTheOpeningExchangeIsAnError(t *testing.T) {
	for _, name := range []string{"hello", "hello-zero", "accept", "refuse"} {
		b := readGolden(t, filepath.Join("testdata", "golden", name+".hex"))
		for n := range b {
			if _, err := frames.DecodeHandshake(b[:n:n]); !errors.Is(err, frames.ErrMalformed) {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(b), err)
			}
		}
		for v := range 256 {
			if _, err := frames.DecodeHandshake(append(b[:len(b):len(b)], byte(v))); !errors.Is(err, frames.ErrMalformed) {
				t.Errorf("%s with %#x behind: %v", name, v, err)
			}
		}
	}
}

// helloWith is a hello whose map has these keys and encoded values alone.
func helloWith(pairs ...string) []byte {
	b := msgp.AppendMapHeader([]byte{0x92, byte(frames.OpHello)}, uint32(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		b = append(msgp.AppendString(b, pairs[i]), pairs[i+1]...)
	}
	return b
}

func TestKeysOfAHelloMayComeInAnyOrderTwiceOrNotAtAll(t *testing.T) {
	got, err := frames.DecodeHandshake(helloWith(
		"handlers", "\x91\x95\x01\x01\x00\x00\xa0", "version", "\x01", "local", "\xa1a",
		"version", "\x02", "handlers", "\x91\x95\x07\x02\x03\x04\xa1r",
	))
	want := frames.Hello{Version: 2, Local: "a", Handlers: []frames.HandlerInfo{{ID: 7, Kind: frames.KindStream, In: 3, Out: 4, Route: "r"}}}
	if err != nil || !reflect.DeepEqual(got.Hello, want) {
		t.Errorf("%+v, %v; want %+v", got.Hello, err, want)
	}
	if got, err := frames.DecodeHandshake(helloWith()); err != nil || !reflect.DeepEqual(got.Hello, frames.Hello{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNumbersOfAHelloMayHaveAnyFormThatHoldsThem(t *testing.T) {
	for _, value := range []string{"\x01", "\xcc\x01", "\xcd\x00\x01", "\xce\x00\x00\x00\x01", "\xcf\x00\x00\x00\x00\x00\x00\x00\x01", "\xd0\x01", "\xd2\x00\x00\x00\x01", "\xd3\x00\x00\x00\x00\x00\x00\x00\x01"} {
		got, err := frames.DecodeHandshake(helloWith("version", value, "features", value))
		if err != nil || got.Hello.Version != 1 || got.Hello.Features != 1 {
			t.Errorf("%x: %+v, %v", value, got.Hello, err)
		}
	}
}

func TestWhatIsNotTheOpeningExchangeIsRefused(t *testing.T) {
	const instance15 = "\xc4\x0f0123456789abcde"
	for name, b := range map[string][]byte{
		"nothing":                         nil,
		"text":                            []byte("GET / HTTP/1.1\r\n"),
		"a map":                           []byte("\x80"),
		"an array of nothing":             []byte("\x90"),
		"an op that is a str":             []byte("\x92\xa1a\x80"),
		"a negative op":                   []byte("\x92\xff\x80"),
		"an op of 257":                    []byte("\x92\xcd\x01\x01\x80"),
		"op 0":                            []byte("\x92\x00\x80"),
		"a request":                       []byte("\x92\x04\x80"),
		"a hello of one element":          []byte("\x91\x01"),
		"a hello of three elements":       []byte("\x93\x01\x80\x80"),
		"a hello without a map":           []byte("\x92\x01\x90"),
		"a refusal of two elements":       []byte("\x92\x03\x20"),
		"a refusal with a text code":      []byte("\x93\x03\xa1a\xa0"),
		"a refusal without a reason":      []byte("\x93\x03\x20\xc0"),
		"a refusal with a code of 2^32":   []byte("\x93\x03\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa0"),
		"a key that is a number":          []byte("\x92\x01\x81\x01\x01"),
		"a map that is too short":         []byte("\x92\x01\x82\xa5local\xa1a"),
		"a version that is a str":         helloWith("version", "\xa11"),
		"a version of -1":                 helloWith("version", "\xff"),
		"a version of 2^32":               helloWith("version", "\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
		"a name that is nil":              helloWith("local", "\xc0"),
		"a name that is a bin":            helloWith("local", "\xc4\x01a"),
		"an instance that is too short":   helloWith("instance", instance15),
		"an instance that is too long":    helloWith("instance", "\xc4\x110123456789abcdefg"),
		"an instance that is a str":       helloWith("instance", "\xb00123456789abcdef"),
		"a table that is a map":           helloWith("handlers", "\x80"),
		"a table of nil":                  helloWith("handlers", "\x91\xc0"),
		"a handler of four elements":      helloWith("handlers", "\x91\x94\x01\x01\x00\x00"),
		"a handler of six elements":       helloWith("handlers", "\x91\x96\x01\x01\x00\x00\xa0\xa0"),
		"a handler with an ID of 65536":   helloWith("handlers", "\x91\x95\xce\x00\x01\x00\x00\x01\x00\x00\xa0"),
		"a handler of kind 0":             helloWith("handlers", "\x91\x95\x01\x00\x00\x00\xa0"),
		"a handler of kind 3":             helloWith("handlers", "\x91\x95\x01\x03\x00\x00\xa0"),
		"a handler with a capacity of -1": helloWith("handlers", "\x91\x95\x01\x02\xff\x00\xa0"),
		"a handler with a kind of text":   helloWith("handlers", "\x91\x95\x01\xa11\x00\x00\xa0"),
		"a handler with an out of -1":     helloWith("handlers", "\x91\x95\x01\x02\x00\xff\xa0"),
		"a handler without a route":       helloWith("handlers", "\x91\x95\x01\x02\x00\x00\xc0"),
		"a table that is too short":       helloWith("handlers", "\x92\x95\x01\x01\x00\x00\xa0"),
	} {
		if got, err := frames.DecodeHandshake(b); !errors.Is(err, frames.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestALengthThatAHelloClaimsCostsNothing(t *testing.T) {
	const huge = "\xff\xff\xff\xff"
	for name, b := range map[string][]byte{
		"a table of 2^32-1":       helloWith("handlers", "\xdd"+huge),
		"a table of 65536":        helloWith("handlers", "\xdd\x00\x01\x00\x00"),
		"a table of 65535":        helloWith("handlers", "\xdc\xff\xff"),
		"a name of 2 GiB":         helloWith("local", "\xdb\x80\x00\x00\x00"),
		"a map of 2^32-1":         []byte("\x92\x01\xdf" + huge),
		"a name of 4 GiB":         helloWith("local", "\xdb"+huge),
		"an instance of 4 GiB":    helloWith("instance", "\xc6"+huge),
		"a key of 4 GiB":          []byte("\x92\x01\x81\xdb" + huge),
		"an unknown bin of 4 GiB": helloWith("novelty", "\xc6"+huge),
		"an unknown array":        helloWith("novelty", "\xdd"+huge),
		"a reason of 4 GiB":       []byte("\x93\x03\x20\xdb" + huge),
	} {
		n := allocatedBytes(func() {
			if got, err := frames.DecodeHandshake(b); !errors.Is(err, frames.ErrMalformed) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		})
		if n > 4<<10 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

func TestAHelloIsNotPartOfItsInput(t *testing.T) {
	h := fullHello()
	b := frames.AppendHello(nil, frames.OpHello, &h)
	got, err := frames.DecodeHandshake(b)
	for i := range b {
		b[i] = 0xee
	}
	if err != nil || !reflect.DeepEqual(got.Hello, h) {
		t.Errorf("%+v, %v", got.Hello, err)
	}
}

func TestErrorsOfTheOpeningExchangeTellWhereTheyAre(t *testing.T) {
	_, err := frames.DecodeHandshake(helloWith("version", "\xa11"))
	if got := fmt.Sprint(err); !strings.Contains(got, "hello") || !strings.Contains(got, "malformed") {
		t.Errorf("%q", got)
	}
}
