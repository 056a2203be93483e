package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/bench/report"
	"github.com/actorgrid/actorgrid/bench/scenario"
)

func TestCommandMeasuresEveryScenario(t *testing.T) {
	code, stdout, stderr := runHere("-nodes", "3", "-duration", "50ms", "-callers", "1,3")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var names []string
	for _, s := range scenario.All() {
		names = append(names, s.Name)
	}
	wantTable(t, stdout, names...)
	if strings.Contains(stdout, "errors") {
		t.Errorf("a column of errors without errors:\n%s", stdout)
	}
	if !strings.Contains(stdout, "3 nodes in one process, 3 connections (all pairs)") {
		t.Errorf("the header does not tell the grid:\n%s", stdout)
	}
}

func TestCommandWithProcessesAndTLS(t *testing.T) {
	cmd := command(t, "-nodes", "3", "-procs", "-tls", "-duration", "50ms", "-callers", "2", "-scenario", "single,all-to-all")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	wantTable(t, string(out), "single", "all-to-all")
	if !strings.Contains(string(out), "each in its own process") {
		t.Errorf("the header does not tell of processes:\n%s", out)
	}
}

func TestJSONFileHasTheDocumentedFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	code, _, stderr := runHere("-nodes", "2", "-duration", "50ms", "-scenario", "stream-up", "-callers", "2", "-json", path)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Schema  float64
		Machine map[string]any
		Grid    map[string]any
		Results []map[string]any
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if file.Schema != report.Schema || len(file.Results) != 1 {
		t.Fatalf("schema %v, %d results; want %d, 1", file.Schema, len(file.Results), report.Schema)
	}
	wantFields(t, "machine", file.Machine, "cpu", "cores", "gomaxprocs", "os", "arch", "go")
	wantFields(t, "grid", file.Grid, "nodes", "processes", "tls", "pairs", "all_pairs", "size", "window", "seconds")
	wantFields(t, "result", file.Results[0], "scenario", "callers", "all_callers", "ops", "seconds", "ops_per_s", "us_per_op",
		"p50_us", "p99_us", "p999_us", "max_us", "mb_per_s", "allocs_per_op", "goroutines", "errors")
	if r := file.Results[0]; r["scenario"] != "stream-up" || r["callers"] != 2.0 || r["ops"].(float64) < 1 || r["errors"] != 0.0 {
		t.Errorf("result: %v", r)
	}
}

func wantFields(t *testing.T, what string, object map[string]any, fields ...string) {
	t.Helper()
	for _, f := range fields {
		if _, ok := object[f]; !ok {
			t.Errorf("%s has no %q: %v", what, f, object)
		}
	}
}

func TestProfilesAreWritten(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-nodes", "2", "-duration", "50ms", "-scenario", "single", "-callers", "1"}
	for _, f := range []string{"cpuprofile", "memprofile", "trace"} {
		args = append(args, "-"+f, filepath.Join(dir, f))
	}
	if out, err := command(t, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range []string{"cpuprofile", "memprofile", "trace"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Size() == 0 {
			t.Errorf("-%s wrote nothing: %v", f, err)
		}
	}
}

func TestFailedCallsAreAnErrorAndAColumn(t *testing.T) {
	o, err := parse([]string{"-scenario", "single", "-callers", "1,2,4"})
	if err != nil {
		t.Fatal(err)
	}
	good := scenario.Result{Scenario: "single", Callers: 1, AllCallers: 1, Ops: 10, Seconds: 1, P50: time.Second}
	bad := good
	bad.Errors, bad.Err = 1, "broken on purpose"
	next := []scenario.Result{good, bad, good}
	progress := report.NewProgress(io.Discard, 3, time.Second)
	results, err := runCases(context.Background(), o.cases(), progress, func(benchCase) (scenario.Result, error) {
		r := next[0]
		next = next[1:]
		return r, nil
	})
	if err == nil || len(results) != 3 {
		t.Errorf("%d results, error %v; want 3 and an error", len(results), err)
	}
	var table, problems bytes.Buffer
	report.WriteTable(&table, results)
	if title, _, _ := strings.Cut(table.String(), "\n"); !strings.HasSuffix(title, "  errors") {
		t.Errorf("no column of errors:\n%s", table.String())
	}
	report.WriteProblems(&problems, results)
	if !strings.Contains(problems.String(), "1 of 1 callers failed") || !strings.Contains(problems.String(), bad.Err) {
		t.Errorf("the problem is not told: %q", problems.String())
	}
}

func TestBrokenGridKeepsTheResultsBefore(t *testing.T) {
	o, _ := parse([]string{"-scenario", "single", "-callers", "1,2"})
	broken := errors.New("the grid is broken")
	progress := report.NewProgress(io.Discard, 2, time.Second)
	results, err := runCases(context.Background(), o.cases(), progress, func(c benchCase) (scenario.Result, error) {
		if c.callers == 2 {
			return scenario.Result{}, broken
		}
		return scenario.Result{Scenario: "single", Callers: 1, Ops: 1, Seconds: 1}, nil
	})
	if !errors.Is(err, broken) || len(results) != 1 {
		t.Errorf("%d results, %v; want 1, %v", len(results), err, broken)
	}
}
