package wsnet

import (
	"bytes"
	"testing"
	"unsafe"
)

// grab is a sink that keeps what it was lent, to look at where it lies.
type grab struct{ msg []byte }

func (g *grab) message(msg []byte) error       { g.msg = msg; return nil }
func (g *grab) control(_ byte, _ []byte) error { return nil }

func within(msg, data []byte) bool {
	at, start := uintptr(unsafe.Pointer(unsafe.SliceData(msg))), uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	return start <= at && at < start+uintptr(len(data))
}

func TestWholeMessagesAreLentWithoutACopy(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		p := parserOf(1 << 10)
		data := append(sent(p, fin|opBinary, []byte("message")), sent(p, fin|opPing, []byte("behind"))...)
		var g grab
		if err := p.feed(data, &g); err != nil {
			t.Fatal(err)
		}
		if string(g.msg) != "message" || !within(g.msg, data) {
			t.Error("copied")
		}
		if cap(g.msg) != len(g.msg) {
			t.Error("an append of the handler would overwrite the next frame")
		}
	})
}

func TestMessagesInPartsDoNotLieInTheReadBuffer(t *testing.T) {
	forEachRole(t, func(t *testing.T, parserOf func(int) *parser) {
		p := parserOf(1 << 10)
		data := sent(p, fin|opBinary, []byte("message"))
		for cut := 1; cut < len(data); cut++ {
			first, second := bytes.Clone(data[:cut]), bytes.Clone(data[cut:])
			var g grab
			_ = p.feed(first, &g)
			for i := range first {
				first[i] = 0xdd // the next read of another connection
			}
			if err := p.feed(second, &g); err != nil {
				t.Fatal(err)
			}
			if within(g.msg, first) {
				t.Errorf("cut at %d: lies in the buffer of an earlier read", cut)
			}
		}
	})
}

func TestABufferHasTheSizeThatTheHeaderTells(t *testing.T) {
	// Small ones share a size, and those up to 64 KiB another; a buffer that comes from
	// the pool may be of anything below the next size, of which 1 MiB is the last.
	for n, most := range map[int]int{
		1: 5 << 10, 4 << 10: 5 << 10,
		4<<10 + 1: 80 << 10, 64 << 10: 80 << 10,
		64<<10 + 1: 96 << 10, 100 << 10: 128 << 10,
		1 << 20: 2 << 20, 1<<20 + 1: 2 << 20, 3 << 20: 3 << 20,
	} {
		p := client(4 << 20)
		head := sent(p, fin|opBinary, make([]byte, n))
		_ = p.feed(head[:len(head)-1], &grab{})
		if c := cap(p.message); c < n || c > most {
			t.Errorf("message of %d bytes: buffer of %d", n, c)
		}
		before := unsafe.SliceData(p.message)
		var g grab
		_ = p.feed(head[len(head)-1:], &g)
		if unsafe.SliceData(g.msg) != before || len(g.msg) != n {
			t.Errorf("message of %d bytes: moved while it came", n)
		}
	}
}

func TestNothingIsHeldBetweenMessages(t *testing.T) {
	p := client(1 << 20)
	stream := sent(p, fin|opBinary, pattern(200<<10))
	if _, err := feedAll(p, stream, 100); err != nil {
		t.Fatal(err)
	}
	if p.message != nil || p.control != nil {
		t.Error("an idle connection holds a buffer")
	}
}

func TestParsingWholeMessagesDoesNotAllocate(t *testing.T) {
	p := server(1 << 10)
	one := sent(p, fin|opBinary, make([]byte, 512))
	data := make([]byte, 0, 20*len(one))
	var g grab
	if n := testing.AllocsPerRun(100, func() {
		data = data[:0]
		for range 20 {
			data = append(data, one...)
		}
		if err := p.feed(data, &g); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for 20 messages", n)
	}
}
