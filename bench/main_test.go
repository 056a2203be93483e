package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// commandEnv makes this program the command itself.
const commandEnv = "ACTORGRID_BENCH_COMMAND"

// This program is also the command, and the processes of the command's grids.
func TestMain(m *testing.M) {
	if os.Getenv(scenario.ChildEnv) != "" || os.Getenv(commandEnv) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// command returns this program as the command, killed if the test lasts too long.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	return cmd
}

// runHere runs the command in this process.
func runHere(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

// wantTable checks that every scenario has a line in a table that is aligned and not
// wider than 120 columns, and that the table comes after its header.
func wantTable(t *testing.T, output string, names ...string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	width := 0
	found := map[string]int{}
	for _, line := range lines {
		if len(line) > 120 {
			t.Errorf("a line of %d columns: %q", len(line), line)
		}
		name, _, _ := strings.Cut(line, " ")
		switch {
		case name == "scenario":
			width = len(line)
		case width > 0 && name != "":
			if _, err := scenario.Named(name); err == nil {
				found[name]++
				if len(line) != width {
					t.Errorf("%d columns, the title has %d: %q", len(line), width, line)
				}
			}
		}
	}
	for _, name := range names {
		if found[name] == 0 {
			t.Errorf("no line for %s in\n%s", name, output)
		}
	}
	for _, want := range []string{"machine  ", "grid     ", "load     ", "us/op", "p99.9 us", "allocs/op"} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in\n%s", want, output)
		}
	}
}
