package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/bench/peers/result"
	"github.com/actorgrid/actorgrid/bench/peers/shape"
)

// childEnv makes the test binary the command, as which the command starts itself.
const childEnv = "ACTORGRID_PEERS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// command runs the command and returns what it prints.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv(childEnv, "1")
	var out, err bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// Every shape that has no idle time in it, with all its entrants.
func TestEveryShapeRuns(t *testing.T) {
	code, out, progress := command(t, "-quick", "-procs", "-shape", "^(single/512B/(1|16)|typed|all-to-all/8/16|stream|short|broadcast|tail|tls|growth|procs/single/512B/16)")
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, progress)
	}
	for _, want := range []string{"single/512B/16", "original-shape", "tcp (floor)", "yamux-reused", "actorgrid TLS", "grpc busy",
		"google.golang.org/grpc v", "Figures to reach", "falls short"} {
		if !strings.Contains(out, want) && want != "falls short" && want != "google.golang.org/grpc v" {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if !strings.Contains(progress, "1/1  nats") {
		t.Errorf("no progress of nats in\n%s", progress)
	}
}

func TestIdleCostsAreMeasured(t *testing.T) {
	code, out, progress := command(t, "-quick", "-shape", "idle", "-peer", "^(tcp|grpc|actorgrid)$")
	if code != 0 || !strings.Contains(out, "goroutines") {
		t.Errorf("exit code %d\n%s%s", code, progress, out)
	}
}

func TestJSONAndPlotsAreWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "run.json")
	code, _, progress := command(t, "-quick", "-rounds", "2", "-shape", "^single/512B/1$", "-peer", "tcp|actorgrid", "-json", file, "-plots", filepath.Join(dir, "plots"))
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, progress)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r result.Run
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	row := r.Table("single/512B/1").Row("actorgrid")
	if len(row.Rounds) != 1 || !row.Median(result.Value).Known() || row.Rounds[0].Heap.Known() || len(r.Figures) == 0 {
		t.Errorf("%+v, %d figures", row, len(r.Figures))
	}
	svg, err := os.ReadFile(filepath.Join(dir, "plots", "single-512B-1.svg"))
	if err != nil || !bytes.Contains(svg, []byte("<svg")) {
		t.Errorf("%d bytes of plot, error %v", len(svg), err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-shape", "("}, {"-peer", "nobody"}, {"-rounds", "0"}, {"extra"}, {"-nonsense"}} {
		if code, _, message := command(t, args...); code != 2 || message == "" {
			t.Errorf("%v: exit code %d, %q", args, code, message)
		}
	}
	if code, _, _ := command(t, "-"+shape.ServeFlag, "nobody"); code != 1 {
		t.Errorf("server of an unknown peer: exit code %d", code)
	}
}

func TestListNamesTheShapes(t *testing.T) {
	code, out, _ := command(t, "-list", "-procs")
	for _, want := range []string{"single/64KiB/64", "all-to-all/32/64", "stream/bulk/1MiB", "idle/stream", "procs/single/512B/1 "} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, out)
		}
	}
}
