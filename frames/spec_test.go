package frames_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// section returns the text below a heading of SPEC.md that starts like this.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(spec(t), "\n"+heading)
	if !ok {
		t.Fatalf("SPEC.md has no %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n#")
	return text
}

// numbered returns the rows of a table that start with a number and a name.
func numbered(t *testing.T, heading string) map[uint64]string {
	t.Helper()
	rows := map[uint64]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| ([a-z -]+) \|`).FindAllStringSubmatch(section(t, heading), -1) {
		n, err := strconv.ParseUint(m[1], 10, 32)
		if err != nil || rows[n] != "" {
			t.Errorf("%s: number %s comes twice, or %v", heading, m[1], err)
		}
		rows[n] = m[2]
	}
	return rows
}

func wantNames(t *testing.T, what string, got map[uint64]string, first, last uint64, name func(uint64) string) {
	t.Helper()
	if len(got) != int(last-first+1) {
		t.Errorf("SPEC.md has %d %s, want %d", len(got), what, last-first+1)
	}
	for n := first; n <= last; n++ {
		if got[n] != name(n) {
			t.Errorf("%s %d is %q in SPEC.md, %q in the code", what, n, got[n], name(n))
		}
	}
}

func TestTheSpecsTablesAreThoseOfTheCode(t *testing.T) {
	op := func(n uint64) string { return frames.Op(n).String() }
	code := func(n uint64) string { return frames.Code(n).String() }
	wantNames(t, "op", numbered(t, "### 5.2"), uint64(frames.OpHello), uint64(frames.OpGoaway), op)
	wantNames(t, "code", numbered(t, "### 14.1"), uint64(frames.CodeOK), uint64(frames.CodeOverloadedWithin), code)
	wantNames(t, "refusal", numbered(t, "### 14.2"), uint64(frames.RefuseVersion), uint64(frames.RefusePath), code)
}

func TestTheSpecsFlagsAreThoseOfTheCode(t *testing.T) {
	text := section(t, "### 5.3")
	for flag, name := range map[frames.Flags]string{frames.FlagMore: "more", frames.FlagCont: "cont"} {
		bit := map[frames.Flags]int{1: 0, 2: 1}[flag]
		if row := fmt.Sprintf("| %d | %d | %s |", bit, flag, name); !strings.Contains(text, row) {
			t.Errorf("SPEC.md has no %q", row)
		}
	}
}

func TestTheSpecHasTheKeysOfAHello(t *testing.T) {
	table := section(t, "### 3.2")
	h := fullHello()
	b := frames.AppendHello(nil, frames.OpHello, &h)
	hello, ok := elements(t, b)[1].(map[string]any)
	if !ok {
		t.Fatal("the second element of a hello is not a map")
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1)
	if len(rows) != len(hello) {
		t.Errorf("SPEC.md has %d keys, a hello %d", len(rows), len(hello))
	}
	for _, row := range rows {
		if _, ok := hello[row[1]]; !ok {
			t.Errorf("a hello has no key %q", row[1])
		}
	}
}

func TestTheSpecsVersionIsThatOfTheCode(t *testing.T) {
	title := fmt.Sprintf("# The wire protocol of actorgrid, version %d\n", frames.Version)
	if !strings.HasPrefix(spec(t), title) {
		t.Errorf("SPEC.md does not start with %q", title)
	}
}

func TestTheSpecsExampleIsWhatIsSent(t *testing.T) {
	var messages [][]byte
	for i, block := range strings.Split(section(t, "## 19"), "```") {
		if i%2 == 1 {
			messages = append(messages, hexDump(t, block))
		}
	}
	want := [][]byte{
		batchOf(frames.Frame{Op: frames.OpRequest, Mux: 1, Timeout: 1_000_000, Payload: []byte("ping")}),
		batchOf(frames.Frame{Op: frames.OpReply, Mux: 1, Payload: []byte("pong")}),
	}
	if len(messages) != len(want) {
		t.Fatalf("%d messages in the example", len(messages))
	}
	for i := range want {
		if !bytes.Equal(messages[i], want[i]) {
			t.Errorf("message %d of the example is %x, want %x", i, messages[i], want[i])
		}
	}
}

// hexDump reads the bytes in front of the comments of an example.
func hexDump(t *testing.T, text string) []byte {
	t.Helper()
	var all []byte
	for line := range strings.Lines(text) {
		column := line[:min(len(line), 30)]
		b, err := hex.DecodeString(strings.Join(strings.Fields(column), ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, b...)
	}
	return all
}

// The rule of section 2.1, written from the text: gridnode's tests hold the one that
// is used.
func TestTheSpecsExamplesOfWhoDialsFollowItsRule(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\| `([0-9a-f]{16})` \\| `([0-9a-f]{16})` \\| (low|high) \\|$")
	rows := row.FindAllStringSubmatch(section(t, "### 2.1"), -1)
	if len(rows) != 3 {
		t.Fatalf("%d examples", len(rows))
	}
	for _, m := range rows {
		low, high := m[1], m[2]
		sum := fnv.New64a()
		sum.Write([]byte(low + "\x00" + high))
		h := sum.Sum64()
		first := fmt.Sprintf("%016x", h)
		h ^= h >> 30
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 27
		h *= 0x94d049bb133111eb
		h ^= h >> 31
		who := "high"
		if h%2 == 0 {
			who = "low"
		}
		if low >= high || m[3] != first || m[4] != fmt.Sprintf("%016x", h) || m[5] != who {
			t.Errorf("%s and %s: %s, %016x, %s", low, high, first, h, who)
		}
	}
}
