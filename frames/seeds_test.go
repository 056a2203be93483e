package frames_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// seeds are the files of testdata/fuzz, by target and name: what the goldens are, and
// some mutations of each. They are made with -update, and committed.
func seeds() map[string]map[string]string {
	all := map[string]map[string]string{"FuzzDecode": {}, "FuzzBatch": {}, "FuzzHandshake": {}, "FuzzRoundTrip": {}}
	for _, k := range kinds() {
		b := frames.Append(nil, &k.frame)
		addBytes(all["FuzzDecode"], k.name, b)
		if !strings.HasSuffix(k.name, "-nil") && !strings.HasSuffix(k.name, "-empty") {
			for name, mutation := range mutations(b) {
				addBytes(all["FuzzDecode"], k.name+"_"+name, mutation)
			}
		}
		batch := batchOf(k.frame, k.frame)
		addBytes(all["FuzzBatch"], k.name, batch)
		addBytes(all["FuzzBatch"], k.name+"_cut", batch[:len(batch)-3])
		addFields(all["FuzzRoundTrip"], k.name, k.frame)
		for _, n := range []uint64{128, 1 << 16, 1<<64 - 1} {
			addFields(all["FuzzRoundTrip"], fmt.Sprintf("%s_%d", k.name, n), withNumbers(k.frame, n))
		}
	}
	addBytes(all["FuzzBatch"], "several", sampleBatch())
	addBytes(all["FuzzBatch"], "none", batchOf())
	hello := fullHello()
	for name, b := range map[string][]byte{
		"hello":        frames.AppendHello(nil, frames.OpHello, &hello),
		"hello-zero":   frames.AppendHello(nil, frames.OpHello, &frames.Hello{}),
		"accept":       frames.AppendHello(nil, frames.OpAccept, &hello),
		"refuse":       frames.AppendRefuse(nil, frames.RefuseVersion, "version 2, this node speaks 1"),
		"unknown-key":  helloWith("novelty", "\x92\xc0\x81\x01\xcb\x00\x00\x00\x00\x00\x00\x00\x00", "local", "\xa1a"),
		"twice":        helloWith("local", "\xa1a", "local", "\xa1b"),
		"huge-table":   helloWith("handlers", "\xdd\xff\xff\xff\xff"),
		"deep-unknown": helloWith("novelty", strings.Repeat("\x91", 200)+"\xc0"),
	} {
		addBytes(all["FuzzHandshake"], name, b)
		for mutated, mutation := range mutations(b) {
			addBytes(all["FuzzHandshake"], name+"_"+mutated, mutation)
		}
	}
	return all
}

// mutations are b with a few typical damages.
func mutations(b []byte) map[string][]byte {
	set := func(i int, v byte) []byte {
		c := bytes.Clone(b)
		c[i%len(c)] = v
		return c
	}
	return map[string][]byte{
		"half":       b[:len(b)/2],
		"twice":      bytes.Repeat(b, 2),
		"arity":      set(0, b[0]+1),
		"op":         set(1, 0x7f),
		"flags":      set(2, 3),
		"negative":   set(len(b)/2, 0xff),
		"huge":       set(len(b)/3, 0xdd),
		"long-uint8": append(append(bytes.Clone(b[:2]), 0xcc, 0x01), b[min(3, len(b)):]...),
	}
}

func addBytes(files map[string]string, name string, b []byte) {
	files[name] = fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", b)
}

func addFields(files map[string]string, name string, f frames.Frame) {
	files[name] = fmt.Sprintf("go test fuzz v1\nbyte(%q)\nbyte(%q)\nuint64(%d)\nuint32(%d)\nuint64(%d)\nuint64(%d)\nuint64(%d)\nuint32(%d)\n[]byte(%q)\n[]byte(%q)\nbool(%v)\n",
		rune(f.Op-frames.OpRequest), rune(f.Flags), f.Mux, f.Target, f.Timeout, f.Size, f.Credit, uint32(f.Code), f.Text, f.Payload, f.Payload == nil)
}

func TestTheSeedsOfTheFuzzTargetsAreCommitted(t *testing.T) {
	for target, files := range seeds() {
		if len(files) < 50 {
			t.Errorf("%s has %d seeds, want 50", target, len(files))
		}
		dir := filepath.Join("testdata", "fuzz", target)
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range files {
			path := filepath.Join(dir, name)
			if *update {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%v: run with -update", err)
			}
		}
	}
}
