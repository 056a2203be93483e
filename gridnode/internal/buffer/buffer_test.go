package buffer

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSizesAreFourToADoubling(t *testing.T) {
	if size(0) != MinSize || size(classes-1) != MaxSize {
		t.Fatalf("from %d to %d", size(0), size(classes-1))
	}
	for c := range classes - 1 {
		here, next := size(c), size(c+1)
		if next <= here || 4*next > 5*here {
			t.Errorf("class %d: %d bytes, the next has %d", c, here, next)
		}
		for _, n := range []int{here, here + 1, next - 1} {
			if got := roundDown(n); got != c {
				t.Errorf("%d bytes: class %d, want %d", n, got, c)
			}
		}
	}
	if got := roundDown(MaxSize); got != classes-1 {
		t.Errorf("the largest: class %d", got)
	}
}

// Every length, fresh and recycled, also of slices that come from elsewhere.
func TestASliceHasRoomAndIsEmpty(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 33, 63, 64, 65, 79, 80, 81, 512, 600, 4096, 65536, 65537, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		for range 4 {
			b := Get(n)
			if len(b) != 0 || cap(b) < n {
				t.Fatalf("slice for %d: length %d, capacity %d", n, len(b), cap(b))
			}
			if c := Clone(b[:n]); len(c) != n || c == nil || !bytes.Equal(c, b[:n]) {
				t.Fatalf("a clone of %d bytes has %d, or others", n, len(c))
			} else {
				Free(c)
			}
			b = b[:cap(b)]
			for i := range b {
				b[i] = byte(i)
			}
			Free(b)
			Free(make([]byte, n+7)[3:])
		}
	}
	Free(nil)
}

// The waste of a process that recycles nothing is none.
func TestNothingIsRoundedUpBeforeItIsRecycled(t *testing.T) {
	n := size(20) + 1
	free[20].used.Store(false)
	free[21].used.Store(false)
	if b := Get(n); cap(b) != n {
		t.Errorf("capacity %d for %d", cap(b), n)
	}
	Free(make([]byte, 0, n))
	if b := Get(n); cap(b) != size(21) {
		t.Errorf("capacity %d for %d once one has been recycled", cap(b), n)
	}
}

func TestWhatIsRecycledIsUsedAgainWithoutAllocation(t *testing.T) {
	for _, n := range []int{64, 600, 4096, 64 << 10, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			Free(Get(n))
			Free(Get(n)) // round, now
			if got := testing.AllocsPerRun(200, func() { Free(Get(n)) }); got > 0.2 {
				t.Errorf("%v allocations", got) // the race detector makes a pool forget
			}
		})
	}
}

// Nobody gets what somebody else still has.
func TestASliceHasOneOwner(t *testing.T) {
	var owners sync.Map
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 2000 {
				b := Get(64 + i%700)
				first := unsafe.SliceData(b)
				if _, taken := owners.LoadOrStore(first, true); taken {
					t.Error("handed out twice")
					return
				}
				owners.Delete(first)
				Free(b)
			}
		})
	}
	group.Wait()
}
