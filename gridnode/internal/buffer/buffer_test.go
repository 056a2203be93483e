package buffer

import (
	"bytes"
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
			if got := classOf(n); got != c {
				t.Errorf("%d bytes: class %d, want %d", n, got, c)
			}
		}
	}
	for _, n := range []int{MaxSize, 2*MaxSize - 1} {
		if got := classOf(n); got != classes-1 {
			t.Errorf("%d bytes: class %d", n, got)
		}
	}
}

var lengths = []int{0, 1, 31, 32, 33, 63, 64, 65, 79, 80, 81, 512, 600, 639, 640, 4096, 65536, 65537, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20}

// Every length, fresh and recycled, also of slices that come from elsewhere.
func TestASliceHasTheRoomThatWasAskedFor(t *testing.T) {
	for _, n := range lengths {
		for range 4 {
			got, exact := Get(n), Exact(n)
			if len(got) != 0 || cap(got) < n || n >= MinSize && n <= MaxSize && cap(got) > 2*n {
				t.Fatalf("slice for %d: length %d, capacity %d", n, len(got), cap(got))
			}
			if len(exact) != 0 || cap(exact) != n {
				t.Fatalf("exact slice for %d: length %d, capacity %d", n, len(exact), cap(exact))
			}
			b := got[:cap(got)]
			for i := range b {
				b[i] = byte(i)
			}
			clone := Clone(b[:n])
			if clone == nil || cap(clone) != n || !bytes.Equal(clone, b[:n]) {
				t.Fatalf("a clone of %d bytes has %d, with room for %d, or others", n, len(clone), cap(clone))
			}
			Free(b)
			Free(clone)
			Free(exact)
			Free(make([]byte, n+7)[3:])
		}
	}
	Free(nil)
}

// Nobody gets what somebody else still has.
func TestASliceHasOneOwner(t *testing.T) {
	var owners sync.Map
	var group sync.WaitGroup
	for who := range 8 {
		group.Go(func() {
			for i := range 2000 {
				n := 64 + i%700
				b := Get(n)
				if who%2 == 0 {
					b = Exact(n)
				}
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
