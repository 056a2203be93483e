package chaos

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// Promises 1, 2 and 3 under cuts at random moments, most of them within a frame: each
// call ends once and in one way, no truncation is reported as success, no handler runs
// twice, and the link is back in time after every single cut.
func TestCutsOverTCP(t *testing.T) { runCuts(t, gridtest.TCP, 90) }

// The same with TLS, whose transport is another one.
func TestCutsOverTLS(t *testing.T) { runCuts(t, gridtest.TLS, 50) }

// The same in virtual time.
func TestCutsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { runCuts(t, gridtest.Memory, 60) })
}

// cutsPerRound bounds what the ledger must remember.
const cutsPerRound = 100

func runCuts(t *testing.T, network gridtest.Network, quick int) {
	cuts := *flagCuts
	if cuts == 0 {
		cuts = quick / underRace
	}
	seed := seeded(t)
	l := newLedger()
	c := gridtest.NewCluster(t, 2, gridtest.WithNetwork(network), handlers(l))
	if network == gridtest.Memory {
		c.Link(0, 1).Delay(100 * time.Microsecond) // so that time passes
	}
	begin := time.Now()
	k := &cutter{t: t, r: rand.New(rand.NewPCG(seed, 0)), cluster: c}
	for round := uint64(0); k.cuts < cuts; round++ {
		k.work = startWorkload(c, l, seed+round*1000, 6)
		for until := min(cuts, k.cuts+cutsPerRound); k.cuts < until; {
			k.cut()
		}
		k.work.stop(t)
		if t.Failed() {
			return
		}
	}
	t.Logf("%v, %d cuts in %v: %v; %v", network, k.cuts, time.Since(begin).Round(time.Millisecond), l, k.downtimes())
	wantBlips(t, c)
	wantEnds(t, l)
}

// wantBlips: a cut is no restart of the peer.
func wantBlips(t *testing.T, c *gridtest.Cluster) {
	t.Helper()
	for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
		if st := conn.Stats(); st.Restarts != 0 {
			t.Errorf("%d of %d sessions look like a restart of %s", st.Restarts, st.Sessions, conn.Remote())
		}
	}
}

// wantEnds: a run in which nothing was lost, or nothing completed, has proved nothing.
func wantEnds(t *testing.T, l *ledger) {
	t.Helper()
	for _, end := range []outcome{complete, planned, lost} {
		if l.ended(end) == 0 {
			t.Errorf("no call ended as %v", end)
		}
	}
}
