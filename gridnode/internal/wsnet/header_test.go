package wsnet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gobwas/ws"
)

// lengths are those at which the form of a header changes, and their neighbours.
var lengths = []int{0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 1000, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1 << 20}

func TestHeaderIsWrittenInFrontOfThePayload(t *testing.T) {
	for _, n := range lengths {
		for _, client := range []bool{false, true} {
			buf := bytes.Repeat([]byte{0xaa}, HeaderSpace+1)
			start := putHeader(buf, opBinary, n, client)
			h, err := parseHeader(buf[start:])
			if err != nil || !h.fin || h.op != opBinary || h.masked != client || h.length != uint64(n) || h.key != [4]byte{} {
				t.Fatalf("length %d, client %v: %+v, %v", n, client, h, err)
			}
			if h.size != HeaderSpace-start || h.size != headerSize(buf[start+1]) {
				t.Errorf("length %d, client %v: size %d, starts at %d", n, client, h.size, start)
			}
			if !bytes.Equal(buf[:start], bytes.Repeat([]byte{0xaa}, start)) || buf[HeaderSpace] != 0xaa {
				t.Errorf("length %d, client %v: wrote outside of the header", n, client)
			}
		}
	}
}

func TestHeaderIsTheShortestOne(t *testing.T) {
	for n, want := range map[int]int{0: 2, 125: 2, 126: 4, 1<<16 - 1: 4, 1 << 16: 10} {
		if got := HeaderSpace - putHeader(make([]byte, HeaderSpace), opBinary, n, false); got != want {
			t.Errorf("length %d: header of %d bytes, want %d", n, got, want)
		}
		if got := HeaderSpace - putHeader(make([]byte, HeaderSpace), opBinary, n, true); got != want+4 {
			t.Errorf("length %d, masked: header of %d bytes, want %d", n, got, want+4)
		}
	}
}

func TestHeadersAgreeWithGobwas(t *testing.T) {
	for _, n := range lengths {
		for _, masked := range []bool{false, true} {
			for _, op := range []ws.OpCode{ws.OpContinuation, ws.OpText, ws.OpBinary, ws.OpClose, ws.OpPing, ws.OpPong} {
				theirs := ws.Header{Fin: n&1 == 0, OpCode: op, Masked: masked, Length: int64(n)}
				if masked {
					theirs.Mask = key
				}
				var b bytes.Buffer
				if err := ws.WriteHeader(&b, theirs); err != nil {
					t.Fatal(err)
				}
				size := b.Len()
				h, err := parseHeader(b.Bytes())
				if err != nil || h.fin != theirs.Fin || h.op != byte(op) || h.masked != masked || h.key != theirs.Mask ||
					h.length != uint64(n) || h.size != size {
					t.Fatalf("%+v read as %+v, %v", theirs, h, err)
				}
			}
			buf := make([]byte, HeaderSpace)
			start := putHeader(buf, opBinary, n, masked)
			h, err := ws.ReadHeader(bytes.NewReader(buf[start:]))
			if err != nil || !h.Fin || h.Rsv != 0 || h.OpCode != ws.OpBinary || h.Masked != masked || h.Length != int64(n) {
				t.Fatalf("length %d: gobwas reads %+v, %v", n, h, err)
			}
		}
	}
}

func TestIncompleteHeadersAreNoErrorAndNoHeader(t *testing.T) {
	for _, n := range lengths {
		for _, client := range []bool{false, true} {
			buf := make([]byte, HeaderSpace)
			whole := buf[putHeader(buf, opBinary, n, client):]
			for cut := range whole {
				if h, err := parseHeader(whole[:cut]); h.size != 0 || err != nil {
					t.Errorf("length %d: %d of %d bytes read as %+v, %v", n, cut, len(whole), h, err)
				}
			}
		}
	}
}

func TestTwoBytesAreEnoughToRefuseAHeader(t *testing.T) {
	for first := range 256 {
		_, err := parseHeader([]byte{byte(first), 0x80 | 127})
		op := first & 0x0f
		ok := first&0x70 == 0 && (op <= 2 || op >= 8 && op <= 10)
		if (err == nil) != ok {
			t.Errorf("first byte %#x: %v", first, err)
		}
	}
}

func TestMaskEqualsTheNaiveLoop(t *testing.T) {
	for n := range 70 {
		for offset := range 9 {
			got, want := pattern(n), pattern(n)
			mask(got, key, offset)
			for i := range want {
				want[i] ^= key[(i+offset)%4]
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes at offset %d: %x, want %x", n, offset, got, want)
			}
			theirs := pattern(n)
			ws.Cipher(theirs, key, offset)
			if !bytes.Equal(got, theirs) {
				t.Fatalf("%d bytes at offset %d: gobwas has %x, got %x", n, offset, theirs, got)
			}
		}
	}
}

func TestMaskTouchesNothingBeyondTheSlice(t *testing.T) {
	for n := range 20 {
		buf := pattern(40)
		mask(buf[10:10+n], key, 1)
		want := pattern(40)
		if !bytes.Equal(buf[:10], want[:10]) || !bytes.Equal(buf[10+n:], want[10+n:]) {
			t.Fatalf("%d bytes: neighbours changed", n)
		}
	}
}

func TestFramesAreReadByGobwas(t *testing.T) {
	for _, n := range lengths {
		for _, client := range []bool{false, true} {
			for _, op := range []byte{opBinary, opPing, opPong, opClose} {
				t.Run(fmt.Sprintf("%d/%v/%d", n, client, op), func(t *testing.T) {
					//lint:ignore SA1019 the frames are this test's own
					f, err := ws.ReadFrame(bytes.NewReader(newFrame(op, pattern(n), client)))
					if err != nil {
						t.Fatal(err)
					}
					if f.Header.Masked {
						f = ws.UnmaskFrame(f)
					}
					if byte(f.Header.OpCode) != op || !bytes.Equal(f.Payload, pattern(n)) {
						t.Fatal("another frame")
					}
				})
			}
		}
	}
}
