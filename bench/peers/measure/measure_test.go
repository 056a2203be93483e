package measure

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Four callers whose ops take 10 ms each, for a second: 400 ops, 2.5 ms each.
func TestRunCountsTheOpsOfAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := func(context.Context) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		}
		load := Load{Callers: []Op{op, op, op, op}, Tails: Latency}
		s, err := Run(t.Context(), load, Phases{Warmup: 50 * time.Millisecond, Measured: time.Second})
		if err != nil || s.Ops != 400 || s.Value != 2500 {
			t.Errorf("%d ops of %v us, error %v; want 400 of 2500", s.Ops, s.Value, err)
		}
		if s.P50 < 9800 || s.P50 > 10200 || s.P999 < 9800 || s.P999 > 10200 {
			t.Errorf("p50 %v, p99.9 %v us; want 10000", s.P50, s.P999)
		}
	})
}

func TestRunCountsTheMessagesOfAnOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := func(context.Context) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}
		s, err := Run(t.Context(), Load{Callers: []Op{op}, PerOp: 1000}, Phases{Measured: time.Second})
		if err != nil || s.Value != 100 || s.Ops != 10000 || s.P50.Known() {
			t.Errorf("%+v, error %v; want 10000 messages of 100 us, no latency", s, err)
		}
	})
}

func TestRunReturnsTheErrorOfACaller(t *testing.T) {
	broken := errors.New("broken")
	var n atomic.Int64
	op := func(context.Context) error {
		if n.Add(1) > 20 {
			return broken
		}
		return nil
	}
	if _, err := Run(t.Context(), Load{Callers: []Op{op, op}}, Phases{Measured: time.Minute}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestRunGivesUpCallersThatDoNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		op := func(context.Context) error {
			<-release // whatever its context says
			return nil
		}
		if _, err := Run(t.Context(), Load{Callers: []Op{op}}, Phases{Measured: time.Second}); !errors.Is(err, ErrStuck) {
			t.Errorf("error %v", err)
		}
		close(release)
	})
}

func TestAnUnknownNumberIsNullInJSON(t *testing.T) {
	b, err := json.Marshal(empty())
	if err != nil {
		t.Fatal(err)
	}
	var s Sample
	if err := json.Unmarshal(b, &s); err != nil || s.Value.Known() || s.P999.Known() {
		t.Errorf("%s became %+v, error %v", b, s, err)
	}
}

func TestEachDividesWhatIdleThingsHold(t *testing.T) {
	before, after := Footprint{Heap: 1000, Stack: 0, Goroutines: 5}, Footprint{Heap: 1000 + 100*2048, Stack: 100 * 2048, Goroutines: 105}
	s := after.Sub(before).Each(100)
	if s.Value != 4 || s.Heap != 2048 || s.Stack != 2048 || s.Goroutines != 1 {
		t.Errorf("%+v", s)
	}
}
