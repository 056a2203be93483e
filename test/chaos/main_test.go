package chaos

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	flagCuts     = flag.Int("chaos.cuts", 0, "cuts on each network; 0: a quick run")
	flagDuration = flag.Duration("chaos.duration", 0, "length of the soak; 0: a quick run")
	flagSeed     = flag.Uint64("chaos.seed", 0, "seed of the plans; 0: a new one")
	flagFair     = flag.Bool("chaos.fair", false, "measure fairness with full sizes")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seeded returns the seed of this test's plans and logs it.
func seeded(t *testing.T) uint64 {
	seed := *flagSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d", seed)
	return seed
}

// eventually polls until ok holds, no longer than bound in the test's time. The longer
// it takes, the less often it looks.
func eventually(t *testing.T, what string, bound time.Duration, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); {
		elapsed := time.Since(start)
		if elapsed > bound {
			t.Fatalf("not within %v: %s", bound, what)
		}
		<-time.After(max(time.Millisecond, elapsed/8))
	}
}
