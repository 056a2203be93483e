package gridnode_test

import (
	"os"
	"strings"
	"testing"
)

// between returns what is between the first start in s and the next end.
func between(t *testing.T, s, start, end string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, start)
	if !ok {
		t.Fatalf("%q is missing", start)
	}
	s, _, ok = strings.Cut(s, end)
	if !ok {
		t.Fatalf("%q is missing", end)
	}
	return strings.TrimSpace(s)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadmeShowsTheCompiledExample(t *testing.T) {
	shown := between(t, read(t, "../README.md"), "```go\n", "```")
	_, compiled, ok := strings.Cut(read(t, "example_test.go"), "to the letter.\n")
	if !ok {
		t.Fatal("example_test.go does not say where README's lines begin")
	}
	if compiled = strings.TrimSpace(compiled); shown != compiled {
		t.Errorf("README.md shows\n%s\n\nexample_test.go has\n%s", shown, compiled)
	}
	if n := strings.Count(shown, "\n") + 1; n > 30 {
		t.Errorf("%d lines, want at most 30", n)
	}
}

func TestReadmeStatesTheDefaultsOfConfig(t *testing.T) {
	readme, config := read(t, "../README.md"), read(t, "config.go")
	for _, field := range []string{
		"HandshakeTimeout", "ReconnectMin", "ReconnectMax", "CallTimeout", "PingAfter", "DeadAfter", "CloseTimeout",
		"MaxMessage", "MaxMuxesPerPeer", "MaxMuxes", "Window", "ReceiveBudget", "QueueLimit",
	} {
		comment := between(t, config, "\t"+field+" ", "\n")
		_, value, _ := strings.Cut(comment, "default ")
		value = strings.Trim(strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' })[0], " ")
		row := between(t, readme, "| `"+field+"` ", "\n")
		if !strings.Contains(row, "| "+value+" |") {
			t.Errorf("%s: config.go says %q, README.md %q", field, value, row)
		}
	}
}
