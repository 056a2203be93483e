package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNumbersHaveThreeDigitsAndThousandsSeparators(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.004: "0.00", 1.234: "1.23", 9.994: "9.99", 9.996: "10.0", 56.78: "56.8",
		99.94: "99.9", 99.96: "100", 999.4: "999", 1234.4: "1,234", 1234567: "1,234,567",
	} {
		if got := decimal(v); got != want {
			t.Errorf("decimal(%v) is %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 999.6: "1,000", 999: "999", 1e9: "1,000,000,000"} {
		if got := whole(v); got != want {
			t.Errorf("whole(%v) is %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 B", 512: "512 B", 1024: "1 KiB", 1536: "1536 B", 1 << 20: "1 MiB", 16 << 20: "16 MiB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d bytes are %s, want %s", n, got, want)
		}
	}
}

// worst are results with the widest values that can be expected.
func worst() []scenario.Result {
	const slow = 9999999 * time.Microsecond
	var results []scenario.Result
	for _, s := range scenario.All() {
		results = append(results, scenario.Result{
			Scenario: s.Name, Callers: 65536, AllCallers: 65536 * 512, Ops: 9_999_999, Seconds: 1, Errors: 262144,
			P50: slow, P99: slow, P999: slow, Max: slow,
			Bytes: 99_999_000_000, Allocs: 9_999_999_000, Goroutines: 9_999_999,
		})
	}
	return append(results, scenario.Result{Scenario: "single", Callers: 1, Ops: 1, Seconds: 1})
}

func TestNothingIsWiderThan120Columns(t *testing.T) {
	var out bytes.Buffer
	topology := scenario.Topology{Nodes: 512}
	m := Machine{CPU: "Intel(R) Xeon(R) Platinum 8488C @ 2.40GHz", Cores: 192, GOMAXPROCS: 192, OS: "freebsd", Arch: "amd64",
		Go: "go1.26.12-X:experiment", Commit: strings.Repeat("c", 40), Modified: true}
	for _, processes := range []bool{false, true} {
		setup := Setup{scenario.Config{Nodes: 512, Size: 16 << 20, Window: 64, TLS: true, Processes: processes}, topology, time.Hour}
		WriteHeader(&out, m, setup)
	}
	WriteTable(&out, worst())
	WriteLegend(&out, worst())
	for line := range strings.Lines(out.String()) {
		if len(line) > 121 { // with the line's end
			t.Errorf("%d columns: %q", len(line)-1, line)
		}
	}
}

func TestTableIsAligned(t *testing.T) {
	var out bytes.Buffer
	WriteTable(&out, worst())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		if line != "" && len(line) != len(lines[0]) {
			t.Errorf("%d columns, the title has %d: %q", len(line), len(lines[0]), line)
		}
	}
	gaps := strings.Count(out.String(), "\n\n")
	if gaps != 8 { // title, single, all-to-all, broadcast, stream, recycled, inline, chan, single again
		t.Errorf("%d gaps between families, want 8:\n%s", gaps, out.String())
	}
}

func TestErrorsHaveAColumnOnlyIfThereAreAny(t *testing.T) {
	var without, with bytes.Buffer
	WriteTable(&without, []scenario.Result{{Scenario: "single"}})
	WriteTable(&with, []scenario.Result{{Scenario: "single"}, {Scenario: "single", Errors: 7}})
	if strings.Contains(without.String(), "errors") || !strings.Contains(with.String(), "errors") {
		t.Errorf("without errors:\n%s\nwith errors:\n%s", without.String(), with.String())
	}
}

func TestPlainProgressIsALineForEachResult(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, 12, time.Second)
	for i := range 3 {
		p.Connected(i+1, 3)
	}
	for i := range 2 {
		p.Begin("single", 1<<i)
		p.End(scenario.Result{Scenario: "single", Callers: 1 << i, Ops: 1000, Seconds: 1})
	}
	p.Close()
	want := "connected 3 nodes\n" +
		fmt.Sprintf("[ 1/12] %-26s %11s ops/s\n", "single, 1 caller", "1,000") +
		fmt.Sprintf("[ 2/12] %-26s %11s ops/s\n\n", "single, 2 callers", "1,000")
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

func TestTerminalProgressStaysInOneLine(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, 12, time.Second)
	p.terminal = true
	p.Connected(1, 512)
	p.Connected(512, 512)
	p.Begin("stream10-down", 65536)
	p.End(scenario.Result{Scenario: "stream10-down", Callers: 65536, Ops: 99_999_999, Seconds: 1})
	p.Begin("stream10-down", 65536)
	if strings.Contains(out.String(), "\n") {
		t.Errorf("a new line: %q", out.String())
	}
	for _, line := range strings.Split(out.String(), "\r\x1b[K") {
		if len(line) > 80 {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	p.Close()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("the line is left behind: %q", out.String())
	}
}

func TestThisMachineIsNamed(t *testing.T) {
	m := ThisMachine()
	if m.CPU == "" || m.Cores < 1 || m.GOMAXPROCS < 1 || m.OS == "" || m.Arch == "" || m.Go == "" {
		t.Errorf("%+v", m)
	}
}
