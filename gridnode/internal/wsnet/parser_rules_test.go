package wsnet

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRulesOfFraming is RFC 6455 section 5 as a table. Each stream is given whole and
// byte by byte, to both roles.
func TestRulesOfFraming(t *testing.T) {
	type frame struct {
		first   byte
		payload string
	}
	long := strings.Repeat("x", maxControl+1)
	tests := []struct {
		name   string
		frames []frame
		code   uint16 // 0: no breach
	}{
		{"whole", []frame{{fin | opBinary, "a"}}, 0},
		{"empty", []frame{{fin | opBinary, ""}}, 0},
		{"two fragments", []frame{{opBinary, "a"}, {fin | opContinuation, "b"}}, 0},
		{"fragments without payload", []frame{{opBinary, ""}, {opContinuation, ""}, {fin | opContinuation, ""}}, 0},
		{"ping within fragments", []frame{{opBinary, "a"}, {fin | opPing, "p"}, {fin | opContinuation, "b"}}, 0},
		{"pong nobody asked for", []frame{{fin | opPong, "p"}, {fin | opBinary, "a"}}, 0},
		{"ping of the greatest length", []frame{{fin | opPing, long[1:]}}, 0},

		{"text", []frame{{fin | opText, "a"}}, codeUnsupported},
		{"text fragment", []frame{{opText, "a"}}, codeUnsupported},
		{"reserved bit 1", []frame{{fin | 0x40 | opBinary, "a"}}, codeProtocol},
		{"reserved bit 2", []frame{{fin | 0x20 | opBinary, "a"}}, codeProtocol},
		{"reserved bit 3", []frame{{fin | 0x10 | opBinary, "a"}}, codeProtocol},
		{"reserved bits of a ping", []frame{{fin | 0x70 | opPing, ""}}, codeProtocol},
		{"reserved bit of a continuation", []frame{{opBinary, "a"}, {fin | 0x40, "b"}}, codeProtocol},
		{"opcode 3", []frame{{fin | 0x3, ""}}, codeProtocol},
		{"opcode 7", []frame{{fin | 0x7, ""}}, codeProtocol},
		{"opcode 11", []frame{{fin | 0xb, ""}}, codeProtocol},
		{"opcode 15", []frame{{fin | 0xf, ""}}, codeProtocol},
		{"fragmented ping", []frame{{opPing, "a"}}, codeProtocol},
		{"fragmented pong", []frame{{opPong, ""}}, codeProtocol},
		{"fragmented close", []frame{{opClose, ""}}, codeProtocol},
		{"long ping", []frame{{fin | opPing, long}}, codeProtocol},
		{"long pong", []frame{{fin | opPong, long}}, codeProtocol},
		{"long close", []frame{{fin | opClose, long}}, codeProtocol},
		{"continuation of nothing", []frame{{fin | opContinuation, "a"}}, codeProtocol},
		{"unfinished continuation of nothing", []frame{{opContinuation, "a"}}, codeProtocol},
		{"continuation behind a whole message", []frame{{fin | opBinary, "a"}, {fin | opContinuation, "b"}}, codeProtocol},
		{"continuation behind the last fragment", []frame{{opBinary, "a"}, {fin | opContinuation, "b"}, {fin | opContinuation, "c"}}, codeProtocol},
		{"message within a message", []frame{{opBinary, "a"}, {fin | opBinary, "b"}}, codeProtocol},
		{"fragment within a message", []frame{{opBinary, ""}, {opBinary, "b"}}, codeProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
				var stream []byte
				for _, f := range tt.frames {
					stream = append(stream, sent(parserOf(0), f.first, []byte(f.payload))...)
				}
				whole, err := feedAll(parserOf(1<<10), stream)
				wantCode(t, err, tt.code)
				cuts := make([]int, len(stream))
				for i := range cuts {
					cuts[i] = i
				}
				bytewise, err := feedAll(parserOf(1<<10), stream, cuts...)
				wantCode(t, err, tt.code)
				wantEvents(t, bytewise, whole)
			})
		})
	}
}

func TestTheRoleDecidesAboutMasks(t *testing.T) {
	masked := rawFrame{first: fin | opBinary, key: &key, payload: []byte("a"), form: -1}.bytes()
	zero := rawFrame{first: fin | opBinary, key: &[4]byte{}, payload: []byte("a"), form: -1}.bytes()
	plain := rawFrame{first: fin | opBinary, payload: []byte("a"), form: -1}.bytes()
	for _, tt := range []struct {
		p      *parser
		stream []byte
		code   uint16
	}{
		{server(10), masked, 0}, {server(10), zero, 0}, {server(10), plain, codeProtocol},
		{client(10), masked, codeProtocol}, {client(10), zero, codeProtocol}, {client(10), plain, 0},
	} {
		_, err := feedAll(tt.p, tt.stream)
		wantCode(t, err, tt.code)
	}
}

func TestLengthsMustBeInTheirShortestForm(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		for _, tt := range []struct {
			form   int
			length uint64
			code   uint16
		}{
			{0, 125, 0}, {2, 126, 0}, {2, 1<<16 - 1, 0}, {8, 1 << 16, 0},
			{2, 125, codeProtocol}, {2, 1, codeProtocol}, {8, 1<<16 - 1, codeProtocol}, {8, 126, codeProtocol}, {8, 1, codeProtocol},
			{8, 1 << 63, codeProtocol}, {8, math.MaxUint64, codeProtocol}, {8, 1<<63 - 1, codeTooBig}, {8, 1 << 40, codeTooBig},
		} {
			f := rawFrame{first: fin | opBinary, form: tt.form, length: tt.length}
			if p := parserOf(0); p.masked {
				f.key = &key
			}
			_, err := feedAll(parserOf(1<<20), f.bytes())
			if err == nil && tt.code == 0 {
				continue
			}
			wantCode(t, err, tt.code)
		}
	})
}

func TestTheLimitCountsTheWholeMessage(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		p := parserOf(0)
		full := sent(p, fin|opBinary, make([]byte, 100))
		over := sent(p, fin|opBinary, make([]byte, 101))
		part := sent(p, opBinary, make([]byte, 60))
		rest := sent(p, fin|opContinuation, make([]byte, 40))
		much := sent(p, fin|opContinuation, make([]byte, 41))
		for _, tt := range []struct {
			stream []byte
			code   uint16
		}{
			{slices.Concat(full, full), 0}, {over, codeTooBig}, {slices.Concat(part, rest, part, rest), 0},
			{slices.Concat(part, much), codeTooBig},
		} {
			_, err := feedAll(parserOf(100), tt.stream)
			wantCode(t, err, tt.code)
		}
	})
}

func TestAnOversizedMessageIsRefusedByItsHeader(t *testing.T) {
	f := rawFrame{first: fin | opBinary, form: 8, length: 1 << 30}.bytes()
	allocated := testing.AllocsPerRun(100, func() {
		p := client(1 << 20)
		wantCode(t, p.feed(f, &log{}), codeTooBig)
	})
	if allocated > 10 { // the error and its text
		t.Errorf("%v allocations for a message that is refused", allocated)
	}
	p := client(1 << 20)
	_ = p.feed(f, &log{})
	if p.message != nil {
		t.Errorf("%d bytes reserved for a message that is refused", cap(p.message))
	}
}

func TestCloseFrames(t *testing.T) {
	valid := []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}
	invalid := []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}
	payload := func(code uint16, reason string) []byte { return append([]byte{byte(code >> 8), byte(code)}, reason...) }
	for _, code := range valid {
		err, ok := closeError(payload(code, "why é")).(*CloseError)
		if !ok || err.Code != code || err.Reason != "why é" {
			t.Errorf("code %d: %v", code, err)
		}
		if got := closePayload(err); !bytes.Equal(got, payload(code, "")) {
			t.Errorf("code %d is answered by %x", code, got)
		}
	}
	for _, code := range invalid {
		wantCode(t, closeError(payload(code, "")), codeProtocol)
	}
	for _, reason := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"} {
		wantCode(t, closeError(payload(1000, reason)), codeNotUTF8)
	}
	wantCode(t, closeError([]byte{3}), codeProtocol)
	if err, ok := closeError(nil).(*CloseError); !ok || err.Code != codeNone || closePayload(err) != nil {
		t.Errorf("no code: %v", err)
	}
}
