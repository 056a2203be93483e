package frames_test

import (
	"runtime"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

func TestFramesAreAppendedAndDecodedWithoutAllocation(t *testing.T) {
	buf := make([]byte, 0, 1<<10)
	var f frames.Frame
	for _, k := range kinds() {
		allocs := testing.AllocsPerRun(100, func() {
			buf = frames.Append(buf[:0], &k.frame)
			if _, err := frames.Decode(buf, &f); err != nil {
				t.Error(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", k.name, allocs)
		}
	}
}

func TestChecksumsCostNoAllocation(t *testing.T) {
	batch := sampleBatch()
	allocs := testing.AllocsPerRun(100, func() {
		frames.PutChecksum(batch)
		if _, err := frames.CheckBatch(batch); err != nil {
			t.Error(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestALengthThatAFrameClaimsCostsNothing(t *testing.T) {
	for _, b := range []string{
		"\x94\x05\x00\x01\xc6\xff\xff\xff\xff", // a payload of 4 GiB
		"\x93\x0e\x07\xdb\xff\xff\xff\xff",     // a text
	} {
		n := allocatedBytes(func() {
			var f frames.Frame
			if _, err := frames.Decode([]byte(b), &f); err == nil {
				t.Error("it was decoded")
			}
		})
		if n > 1<<10 {
			t.Errorf("%x: %d bytes allocated", b, n)
		}
	}
}

// allocatedBytes returns how many bytes a run of f allocates.
func allocatedBytes(f func()) uint64 {
	const runs = 10
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that nobody else allocates meanwhile
	var before, after runtime.MemStats
	f()
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}
