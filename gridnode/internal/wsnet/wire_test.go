package wsnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// rawFrame is a frame written out by hand, for what newFrame would never write.
type rawFrame struct {
	first   byte // FIN, reserved bits, opcode
	key     *[4]byte
	payload []byte
	form    int // bytes of the extended length: 0, 2 or 8; -1 for the shortest form
	length  uint64
}

const fin = 0x80

func (f rawFrame) bytes() []byte {
	n := f.length
	if n == 0 {
		n = uint64(len(f.payload))
	}
	form := f.form
	if form == -1 {
		switch {
		case n < 126:
			form = 0
		case n < 1<<16:
			form = 2
		default:
			form = 8
		}
	}
	b := []byte{f.first}
	switch form {
	case 0:
		b = append(b, byte(n))
	case 2:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	case 8:
		b = binary.BigEndian.AppendUint64(append(b, 127), n)
	}
	payload := bytes.Clone(f.payload)
	if f.key != nil {
		b[1] |= 0x80
		b = append(b, f.key[:]...)
		for i := range payload {
			payload[i] ^= f.key[i&3]
		}
	}
	return append(b, payload...)
}

// key is a masking key with four different bytes.
var key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// sent is a frame as the peer of a parser sends it: masked for a server's parser.
func sent(p *parser, first byte, payload []byte) []byte {
	f := rawFrame{first: first, payload: payload, form: -1}
	if p.masked {
		f.key = &key
	}
	return f.bytes()
}

// event is one call of a sink.
type event struct {
	op      byte // opBinary for a message
	payload string
}

func (e event) String() string {
	if len(e.payload) > 20 {
		return fmt.Sprintf("%d:%d bytes", e.op, len(e.payload))
	}
	return fmt.Sprintf("%d:%q", e.op, e.payload)
}

// log is a sink that keeps copies. It overwrites what it was lent, as a handler may.
type log struct {
	events []event
	fail   error // returned for each message, if set
}

func (l *log) message(msg []byte) error {
	l.events = append(l.events, event{opBinary, string(msg)})
	for i := range msg {
		msg[i] = 0xee
	}
	return l.fail
}

func (l *log) control(op byte, payload []byte) error {
	l.events = append(l.events, event{op, string(payload)})
	return nil
}

// feedAll feeds a copy of stream, cut at the given offsets.
func feedAll(p *parser, stream []byte, cuts ...int) ([]event, error) {
	var l log
	stream = bytes.Clone(stream)
	from := 0
	for _, to := range append(cuts, len(stream)) {
		chunk := bytes.Clone(stream[from:to]) // any byte kept of it would be seen below
		err := p.feed(chunk, &l)
		for i := range chunk {
			chunk[i] = 0xdd
		}
		if err != nil {
			return l.events, err
		}
		from = to
	}
	return l.events, nil
}

func wantEvents(t *testing.T, got, want []event) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

// wantCode checks that err is a breach of the protocol with this close code; 0 is
// no error.
func wantCode(t *testing.T, err error, code uint16) {
	t.Helper()
	var breach *ProtocolError
	switch {
	case code == 0 && err == nil:
	case !errors.As(err, &breach) || breach.Code != code:
		t.Fatalf("got error %v, want code %d", err, code)
	}
}

// pattern is n bytes that differ from their neighbours and those a power of two away.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*3 + i>>16)
	}
	return b
}

func server(most int) *parser { return &parser{masked: true, max: most} }
func client(most int) *parser { return &parser{max: most} }
