package result

import (
	"slices"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
)

// table makes a table of one-round rows that have only a value.
func table(shape string, unit Unit, values map[string]float64) *Table {
	t := &Table{Shape: shape, Unit: unit}
	for name, v := range values {
		t.Rows = append(t.Rows, &Row{Name: name, Role: roleOf(name), OneConn: true, Rounds: []measure.Sample{sample(v)}})
	}
	return t
}

func roleOf(name string) peer.Role {
	if p := peer.Find(name); p != nil {
		return p.Role
	}
	return peer.Subject
}

// sample has v for all numbers.
func sample(v float64) measure.Sample {
	n := measure.Number(v)
	return measure.Sample{Value: n, P50: n, P99: n, P999: n, CPU: n, Allocs: n, Bytes: n, Heap: n, Stack: n, Goroutines: n}
}

// find returns the only figure whose group and claim begin so.
func find(t *testing.T, all []Figure, group, claim string) Figure {
	t.Helper()
	var found []Figure
	for _, f := range all {
		if strings.HasPrefix(f.Group, group) && strings.HasPrefix(f.Claim, claim) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d figures for %q, %q", len(found), group, claim)
	}
	return found[0]
}

func TestNothingMeasuredIsNeitherHeldNorMissed(t *testing.T) {
	for _, f := range Judge(new(Run)) {
		if f.Verdict != NotMeasured {
			t.Errorf("%s: %s: %s of an empty run", f.Group, f.Claim, f.Verdict)
		}
	}
}

func TestEachFigureHoldsAtItsLimitAndNotAbove(t *testing.T) {
	single := func(callers int) string { return SingleShape(512, callers) }
	for _, c := range []struct {
		group, claim string
		shape        string
		row          string             // whose value is tried
		others       map[string]float64 // the rest of the table
		holds, fails float64
	}{
		{"single", "1 caller:", single(1), Grid, map[string]float64{TCP: 20}, 25, 25.1},
		{"single", "2 callers:", single(2), Grid, map[string]float64{Original: 50, NATS: 30, TCP: 1, RawMux: 1}, 18, 18.1},
		{"single", "16 callers:", single(16), Grid, map[string]float64{Original: 9}, 4.5, 4.51},
		{"single", "16 callers:", single(16), Grid, map[string]float64{Original: 30}, 9.9, 10},
		{"single", "64 callers:", single(64), Grid, nil, 2.2, 2.21},
		{"single", "512 callers:", single(512), Grid, nil, 1.5, 1.51},
		{"all-to-all", "8 nodes, 16", MeshShape(8, 16), Grid, map[string]float64{Original: 10}, 4, 4.1},
		{"all-to-all", "8 nodes, 64", MeshShape(8, 64), Grid, map[string]float64{Original: 10}, 4, 4.1},
		{"all-to-all", "32 nodes, 64 callers: at most 16 us", MeshShape(32, 64), Grid, nil, 16, 16.1},
		{"all-to-all", "32 nodes, 2 callers", MeshShape(32, 2), Grid, map[string]float64{Original: 100}, 75, 76},
		{"streams, 512", "down: at most", StreamShape("down", 512), Grid, nil, 0.7, 0.71},
		{"streams, 512", "up: at most", StreamShape("up", 512), Grid, nil, 0.7, 0.71},
		{"streams, 512", "down: 3 times NATS", StreamShape("down", 512), Grid, map[string]float64{NATS: 2}, 0.66, 0.67},
		{"streams, 512", "ping-pong", StreamShape("ping-pong", 512), Grid, map[string]float64{TCP: 20}, 25, 26},
		{"bulk", "messages of 64KiB", StreamShape("bulk", 64<<10), Grid, map[string]float64{TCP: 1000}, 850, 849},
		{"bulk", "messages of 1MiB", StreamShape("bulk", 1<<20), Grid, map[string]float64{TCP: 1000}, 850, 849},
		{"streams of 10", "down: at most", ShortShape("down"), Grid, nil, 25, 26},
		{"streams of 10", "up: at most", ShortShape("up"), Grid, nil, 30, 31},
		{"streams of 10", "echo: at most", ShortShape("echo"), Grid, nil, 40, 41},
		{"streams of 10", "up: the channel", ShortShape("up"), GridChannels, map[string]float64{Grid: 20}, 30, 31},
		{"broadcast", "at most 420", BroadcastShape, Grid, nil, 420, 421},
		{"broadcast", "3 times", BroadcastShape, Grid, map[string]float64{Original: 900}, 300, 301},
		{"allocations", "bytes", single(1), Grid, nil, 3.4, 3.6},
		{"allocations", "typed", TypedShape, Grid, nil, 6.4, 6.6},
		{"idle", "connection: at most", IdleConnections, Grid, nil, 8, 8.1},
		{"idle", "connection: 0 gor", IdleConnections, Grid, nil, 0.04, 1},
		{"idle", "two-way stream: at most 4", IdleStreams, Grid, nil, 4096, 4097},
		{"idle", "two-way stream: at most one", IdleStreams, Grid, nil, 1, 1.1},
		{"p99.9", "at most 5 x", TailShape, Grid + BusyLink, map[string]float64{Grid + IdleLink: 30}, 150, 151},
		{"recycled: single", "64 callers:", single(64), GridRecycled, map[string]float64{Grid: 9}, 2.2, 2.21},
		{"recycled: bulk", "messages of 64KiB", StreamShape("bulk", 64<<10), GridRecycled, map[string]float64{Grid: 1, TCP: 1000}, 850, 849},
		{"recycled: p99.9", "at most 5 x", TailShape, GridRecycled + BusyLink, map[string]float64{GridRecycled + IdleLink: 30}, 150, 151},
		{"inline: single", "64 callers:", single(64), GridInline, map[string]float64{Grid: 9}, 2.2, 2.21},
		{"inline: all-to-all", "8 nodes, 16", MeshShape(8, 16), GridInline, map[string]float64{Grid: 9, Original: 10}, 4, 4.1},
		{"inline: broadcast", "at most 420", BroadcastShape, GridInline, map[string]float64{Grid: 900}, 420, 421},
		{"TLS", "64 callers", TLSShape, TLSLink, map[string]float64{PlainLink: 2}, 3.2, 3.3},
	} {
		for value, want := range map[float64]Verdict{c.holds: Holds, c.fails: FallsShort} {
			values := map[string]float64{c.row: value}
			for name, v := range c.others {
				values[name] = v
			}
			run := &Run{Tables: []*Table{table(c.shape, MicrosPerCall, values)}}
			if f := find(t, Judge(run), c.group, c.claim); f.Verdict != want {
				t.Errorf("%s, %s: %g %s (%s)", c.group, c.claim, value, f.Verdict, f.Measured)
			}
		}
	}
}

func TestFiguresOfSeveralShapesTakeTheWorst(t *testing.T) {
	run := new(Run)
	for callers, grpc := range map[int]float64{16: 40, 64: 32, 512: 28} {
		run.Tables = append(run.Tables, table(SingleShape(512, callers), MicrosPerCall, map[string]float64{Grid: 2, Original: 6, GRPC: grpc}))
	}
	all := Judge(run)
	if f := find(t, all, "single", "16, 64 and 512 callers: at least 15"); f.Verdict != FallsShort || f.Measured != "14.0 x" {
		t.Errorf("gRPC: %+v", f)
	}
	if f := find(t, all, "single", "16, 64 and 512 callers: at least 3 "); f.Verdict != Holds || f.Measured != "3.00 x" {
		t.Errorf("original: %+v", f)
	}
}

func TestGrowthIsJudgedAtItsFullSizeOnly(t *testing.T) {
	for nodes, want := range map[int]Verdict{128: Holds, 64: NotMeasured} {
		grown := &Table{Shape: GrowthShape, Rows: []*Row{
			{Name: GrowthRow(Grid, 8), Rounds: []measure.Sample{sample(2)}},
			{Name: GrowthRow(Grid, nodes), Rounds: []measure.Sample{sample(2.5)}},
		}}
		f := find(t, Judge(&Run{Tables: []*Table{grown}}), "growth", "us per call")
		if f.Verdict != want || !strings.Contains(f.Measured, "1.25 x") {
			t.Errorf("%d nodes: %+v", nodes, f)
		}
	}
}

func TestProcessesAreComparedWithWhatTheFloorsLose(t *testing.T) {
	run := &Run{Tables: []*Table{
		table(SingleShape(512, 1), MicrosPerCall, map[string]float64{Grid: 30, TCP: 24, RawMux: 26}),
		table(ProcsShape(512, 1), MicrosPerCall, map[string]float64{Grid: 60, TCP: 40, RawMux: 45}),
	}}
	f := find(t, Judge(run), "two processes", "1 callers")
	if f.Verdict != Holds || !strings.Contains(f.Measured, "60.0 us, 30.0 in one process: 2.00 x") {
		t.Errorf("%+v", f)
	}
	run.Tables[1].Row(Grid).Rounds[0].Value = 80
	if f := find(t, Judge(run), "two processes", "1 callers"); f.Verdict != FallsShort {
		t.Errorf("%+v", f)
	}
}

func TestARowKnowsItsMedianAndRange(t *testing.T) {
	r := &Row{Rounds: []measure.Sample{sample(5), sample(1), sample(9), sample(3)}}
	lowest, highest := r.Range(Value)
	if r.Median(Value) != 4 || lowest != 1 || highest != 9 {
		t.Errorf("median %v, from %v to %v", r.Median(Value), lowest, highest)
	}
	r.Rounds = slices.Delete(r.Rounds, 0, 1)
	if r.Median(Value) != 3 {
		t.Errorf("median %v of three", r.Median(Value))
	}
	if (*Row)(nil).Median(Value).Known() {
		t.Error("a row that is not there has a median")
	}
}

func TestFormatKeepsThreeDigits(t *testing.T) {
	for n, want := range map[float64]string{1234.4: "1234", 99.96: "100.0", 45.67: "45.7", 1.234: "1.23", 0: "0.00"} {
		if got := Format(measure.Number(n)); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
	if got := Format(measure.None); got != "-" {
		t.Errorf("unknown: %s", got)
	}
}
