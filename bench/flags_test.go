package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

func TestWrongFlagsAreNamedAndExitWith2(t *testing.T) {
	for _, args := range [][]string{
		{"-nodes", "1"}, {"-nodes", "513"}, {"-nodes", "many"},
		{"-size", "-1"}, {"-size", "16777217"}, {"-size", "x"},
		{"-callers", "0"}, {"-callers", "1,,2"}, {"-callers", "1,x"}, {"-callers", "65537"}, {"-callers", ""},
		{"-duration", "0s"}, {"-duration", "9ms"}, {"-duration", "2h"}, {"-duration", "5"},
		{"-scenario", "nothing"}, {"-scenario", "single,("}, {"-scenario", "single,"},
		{"-json", filepath.Join(t.TempDir(), "no", "such")},
		{"-cpuprofile", t.TempDir()}, {"-memprofile", t.TempDir()}, {"-trace", t.TempDir()},
		{"-frobnicate"},
	} {
		code, stdout, stderr := runHere(args...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, args[0]) {
			t.Errorf("%q: exit code %d, %q; want %d and the flag's name", args, code, stderr, exitUsage)
		}
		if strings.Count(stderr, "\n") > 2 {
			t.Errorf("%q: a long message: %q", args, stderr)
		}
	}
	if code, _, stderr := runHere("fast"); code != exitUsage || !strings.Contains(stderr, `"fast"`) {
		t.Errorf("an argument: exit code %d, %q", code, stderr)
	}
}

func TestHelpAndListAreNotErrors(t *testing.T) {
	code, stdout, _ := runHere("-h")
	if code != 0 || !strings.Contains(stdout, "-duration") || !strings.Contains(stdout, "-procs") {
		t.Errorf("-h: exit code %d, %q", code, stdout)
	}
	code, stdout, _ = runHere("-list")
	for _, s := range scenario.All() {
		if code != 0 || !strings.Contains(stdout, s.Name) || !strings.Contains(stdout, s.About) {
			t.Errorf("-list: exit code %d, %s is missing in\n%s", code, s.Name, stdout)
		}
	}
}

func TestScenariosAreChosenByNameOrExpression(t *testing.T) {
	for list, want := range map[string][]string{
		"single":               {"single"},
		"stream-up,single":     {"single", "stream-up"},
		"-pingpong$":           {"stream-pingpong", "chan-pingpong"},
		"^stream10, broadcast": {"broadcast", "stream10-down", "stream10-up", "stream10-both"},
	} {
		o, err := parse([]string{"-scenario", list})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range o.selected {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("-scenario %q chooses %q, want %q", list, got, want)
		}
	}
}

func TestDefaultsRunEveryScenarioInAboutTwentySeconds(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.config.Nodes != 8 || o.config.Size != 512 || o.config.TLS || o.config.Processes {
		t.Errorf("defaults: %+v", o.config)
	}
	got := map[string][]int{}
	for _, c := range o.cases() {
		got[c.scenario.Name] = append(got[c.scenario.Name], c.callers)
	}
	if len(got) != len(scenario.All()) {
		t.Errorf("%d scenarios of %d", len(got), len(scenario.All()))
	}
	for _, name := range []string{"single", "all-to-all"} {
		if want := []int{1, 2, 16, 64, 512}; !slices.Equal(got[name], want) {
			t.Errorf("%s: callers %v, want %v", name, got[name], want)
		}
	}
	if total := len(o.cases()) * int(o.each().Milliseconds()); total < 14_000 || total > 20_000 {
		t.Errorf("it takes %d ms", total)
	}
}

func TestCallersReplaceThoseOfEveryScenario(t *testing.T) {
	o, err := parse([]string{"-callers", "3, 5", "-scenario", "stream"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range o.cases() {
		if c.callers != 3 && c.callers != 5 {
			t.Errorf("%s with %d callers", c.scenario.Name, c.callers)
		}
	}
	if got, want := len(o.cases()), 2*len(o.selected); got != want {
		t.Errorf("%d cases, want %d", got, want)
	}
}

func TestFilesAreNotCreatedForWrongFlags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	runHere("-json", path, "-nodes", "0")
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was created")
	}
}
