package frames_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

var update = flag.Bool("update", false, "write testdata/golden from what the code does now: a change of the protocol")

// golden compares b with a file of hex in lines of 32 bytes, or writes it.
func golden(t *testing.T, name string, b []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".hex")
	if *update {
		var text strings.Builder
		for chunk := range chunks(b, 32) {
			text.WriteString(hex.EncodeToString(chunk) + "\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readGolden(t, path); !bytes.Equal(b, want) {
		t.Errorf("%s is encoded as\n%x\nwant\n%x", name, b, want)
	}
}

func chunks(b []byte, n int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			m := min(n, len(b))
			if !yield(b[:m]) {
				return
			}
			b = b[m:]
		}
	}
}

func readGolden(tb testing.TB, path string) []byte {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return b
}

func TestEveryKindOfFrameHasTheBytesOfItsGoldenFile(t *testing.T) {
	for _, k := range kinds() {
		b := frames.Append(nil, &k.frame)
		golden(t, k.name, b)
		var f frames.Frame
		if rest, err := frames.Decode(b, &f); err != nil || len(rest) > 0 || !equal(&f, &k.frame) {
			t.Errorf("%s: decoded as %+v, %d bytes behind, %v", k.name, f, len(rest), err)
		}
	}
}

func TestTheOpeningExchangeHasTheBytesOfItsGoldenFiles(t *testing.T) {
	hello := fullHello()
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"hello", frames.AppendHello(nil, frames.OpHello, &hello)},
		{"hello-zero", frames.AppendHello(nil, frames.OpHello, &frames.Hello{})},
		{"accept", frames.AppendHello(nil, frames.OpAccept, &hello)},
		{"refuse", frames.AppendRefuse(nil, frames.RefuseVersion, "version 2, this node speaks 1")},
	} {
		golden(t, c.name, c.b)
	}
}

func TestABatchHasTheBytesOfItsGoldenFile(t *testing.T) {
	golden(t, "batch-checksum", sampleBatch())
}

func TestEveryGoldenFileIsStillMade(t *testing.T) {
	made := map[string]bool{"hello": true, "hello-zero": true, "accept": true, "refuse": true, "batch-checksum": true}
	for _, k := range kinds() {
		made[k.name] = true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil || len(files) != len(made) {
		t.Errorf("%d golden files for %d kinds, %v", len(files), len(made), err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".hex"); !made[name] {
			t.Errorf("nothing makes %s", file)
		}
	}
}
