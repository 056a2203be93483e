package frames_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/frames"
)

// spec is the text of SPEC.md.
func spec(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile("SPEC.md")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// layoutKey names a row of the table of layouts in SPEC.md.
type layoutKey struct {
	op    string
	flags string
}

// layouts are the elements of each kind of frame, by name, as SPEC.md has them.
func layouts(tb testing.TB) map[layoutKey][]string {
	tb.Helper()
	rows := map[layoutKey][]string{}
	row := regexp.MustCompile("(?m)^\\| ([a-z-]+) \\| ([a-z0+]*) ?\\| `\\[([^]]+)\\]` \\|$")
	for _, m := range row.FindAllStringSubmatch(spec(tb), -1) {
		rows[layoutKey{m[1], m[2]}] = strings.Split(m[3], ", ")
	}
	if len(rows) != 23 {
		tb.Fatalf("%d layouts in SPEC.md, want 23", len(rows))
	}
	return rows
}

func keyOf(f *frames.Frame) layoutKey {
	key := layoutKey{op: f.Op.String()}
	switch f.Op {
	case frames.OpRequest, frames.OpReply, frames.OpOpen, frames.OpData:
		key.flags = map[frames.Flags]string{0: "0", frames.FlagMore: "more", frames.FlagMore | frames.FlagCont: "more+cont", frames.FlagCont: "cont"}[f.Flags]
	}
	return key
}

// element is the value of f that a layout names, as msgp's reader of any type gives it.
func element(f *frames.Frame, name string) any {
	switch name {
	case "flags":
		return uint64(f.Flags)
	case "mux":
		return f.Mux
	case "target":
		return uint64(f.Target)
	case "timeout":
		return f.Timeout
	case "credit", "number":
		return f.Credit
	case "size":
		return f.Size
	case "code":
		return uint64(f.Code)
	case "text":
		return string(f.Text)
	case "payload":
		if f.Payload == nil {
			return nil
		}
		return f.Payload
	}
	return fmt.Sprint(uint64(f.Op)) // the op is the number itself
}

// elements are what msgp's reader, which knows nothing of this package, finds in b.
func elements(tb testing.TB, b []byte) []any {
	tb.Helper()
	v, rest, err := msgp.ReadIntfBytes(b)
	if err != nil || len(rest) > 0 {
		tb.Fatalf("msgp reads %x as %v, %d bytes behind, %v", b, v, len(rest), err)
	}
	list, ok := v.([]any)
	if !ok {
		tb.Fatalf("msgp reads %x as a %T", b, v)
	}
	for i := range list {
		switch v := list[i].(type) {
		case int64:
			list[i] = uint64(v)
		case []byte:
			list[i] = append([]byte{}, v...) // msgp makes a nil slice of an empty bin
		}
	}
	return list
}
