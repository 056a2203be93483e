package scenario

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// This program is also the processes of its own grids.
func TestMain(m *testing.M) {
	if os.Getenv(ChildEnv) != "" {
		os.Exit(ChildMain())
	}
	goleak.VerifyTestMain(m)
}

// testTime is how long a scenario runs in a test: every caller has a turn however long
// the machine pauses.
const testTime = 50 * time.Millisecond

func startGrid(t *testing.T, cfg Config) *Grid {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	g, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return g
}

func named(t *testing.T, name string) Scenario {
	t.Helper()
	s, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantGood checks that a result is complete and consistent.
func wantGood(t *testing.T, r Result) {
	t.Helper()
	if r.Errors > 0 || r.Err != "" {
		t.Errorf("%s: %d callers failed: %s", r.Scenario, r.Errors, r.Err)
	}
	if r.Ops == 0 || r.OpsPerSecond() <= 0 || r.MicrosPerOp() <= 0 || r.Goroutines == 0 {
		t.Errorf("%s: incomplete: %+v", r.Scenario, r)
	}
	if r.P50 < 0 || r.P50 > r.P99 || r.P99 > r.P999 || r.P999 > r.Max || r.Max <= 0 {
		t.Errorf("%s: quantiles %v, %v, %v, longest %v are not in order", r.Scenario, r.P50, r.P99, r.P999, r.Max)
	}
}
