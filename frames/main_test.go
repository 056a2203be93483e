package frames_test

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/frames"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kind is one kind of frame, with fields that are all set.
type kind struct {
	name  string
	frame frames.Frame
}

// kinds are all frames but those of the opening exchange: each op, and each set of
// flags of those that carry a message.
func kinds() []kind {
	payload := []byte("payload")
	request := frames.Frame{Op: frames.OpRequest, Mux: 1, Target: 3, Timeout: 1_500_000, Payload: payload}
	open := frames.Frame{Op: frames.OpOpen, Mux: 3, Target: 200, Timeout: 60_000_000, Credit: 16, Payload: payload}
	all := []kind{
		{"credit", frames.Frame{Op: frames.OpCredit, Mux: 3, Credit: 8}},
		{"credit-session", frames.Frame{Op: frames.OpCredit, Credit: 131072}},
		{"close-send", frames.Frame{Op: frames.OpCloseSend, Mux: 300}},
		{"status-ok", frames.Frame{Op: frames.OpStatus, Mux: 3}},
		{"status", frames.Frame{Op: frames.OpStatus, Mux: 70_000, Code: 1000, Text: []byte("out of stock")}},
		{"cancel", frames.Frame{Op: frames.OpCancel, Mux: 1 << 33, Code: frames.CodeCanceled, Text: []byte("context canceled")}},
		{"ping", frames.Frame{Op: frames.OpPing, Credit: 1<<64 - 1}},
		{"pong", frames.Frame{Op: frames.OpPong, Credit: 1<<64 - 1}},
		{"goaway", frames.Frame{Op: frames.OpGoaway, Code: frames.CodeClosed, Text: []byte("shutting down")}},
	}
	for _, base := range []frames.Frame{
		request,
		{Op: frames.OpReply, Mux: 1, Payload: payload},
		open,
		{Op: frames.OpData, Mux: 3, Payload: payload},
	} {
		all = append(all, messages(base)...)
	}
	return all
}

// messages are a message whole, without and with an empty payload, and its first,
// middle and last fragment.
func messages(whole frames.Frame) []kind {
	name := whole.Op.String()
	none, empty, first := whole, whole, whole
	none.Payload, empty.Payload = nil, []byte{}
	first.Flags, first.Size = frames.FlagMore, 100_000
	middle := frames.Frame{Op: whole.Op, Mux: whole.Mux, Flags: frames.FlagMore | frames.FlagCont, Payload: whole.Payload}
	last := middle
	last.Flags = frames.FlagCont
	return []kind{{name, whole}, {name + "-nil", none}, {name + "-empty", empty}, {name + "-first", first}, {name + "-middle", middle}, {name + "-last", last}}
}

// equal compares all fields; payloads that are nil and empty differ.
func equal(a, b *frames.Frame) bool {
	x, y := *a, *b
	x.Payload, x.Text, y.Payload, y.Text = nil, nil, nil, nil
	return x.Op == y.Op && x.Flags == y.Flags && x.Mux == y.Mux && x.Target == y.Target && x.Timeout == y.Timeout &&
		x.Size == y.Size && x.Credit == y.Credit && x.Code == y.Code &&
		bytes.Equal(a.Text, b.Text) && bytes.Equal(a.Payload, b.Payload) && (a.Payload == nil) == (b.Payload == nil)
}

// fullHello has every field set.
func fullHello() frames.Hello {
	h := frames.Hello{
		Version:    frames.Version,
		Local:      "http://node1:9000",
		Remote:     "http://node2:9000",
		Token:      "secret",
		Features:   frames.FeatureChecksum,
		MaxMessage: 64 << 20,
		Window:     512 << 10,
		MaxMuxes:   131072,
		Handlers: []frames.HandlerInfo{
			{ID: 1, Kind: frames.KindSingle},
			{ID: 700, Kind: frames.KindStream, In: 16, Out: 1 << 20, Route: "bucket/a"},
		},
	}
	for i := range h.Instance {
		h.Instance[i] = byte(0xf0 + i)
	}
	return h
}

// batchOf is frames behind their checksum.
func batchOf(fs ...frames.Frame) []byte {
	b := make([]byte, frames.ChecksumSize)
	for i := range fs {
		b = frames.Append(b, &fs[i])
	}
	frames.PutChecksum(b)
	return b
}

func sampleBatch() []byte {
	return batchOf(
		frames.Frame{Op: frames.OpReply, Mux: 7, Payload: []byte("first")},
		frames.Frame{Op: frames.OpCredit, Credit: 131072},
		frames.Frame{Op: frames.OpStatus, Mux: 9, Code: frames.CodeOverloaded, Text: []byte("overloaded")},
	)
}
