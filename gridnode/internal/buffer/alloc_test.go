//go:build !race

package buffer

import (
	"fmt"
	"testing"
)

// Under the race detector a pool forgets.
func TestWhatIsRecycledIsUsedAgainWithoutAllocation(t *testing.T) {
	for _, n := range []int{64, 600, 4096, 64 << 10, 1 << 20} {
		content := make([]byte, n)
		for name, use := range map[string]func(){
			"get":   func() { Free(Get(n)) },
			"exact": func() { Free(Exact(n)) },
			"clone": func() { Free(Clone(content)) },
		} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				for range 10 {
					use() // those of the other tests give way
				}
				if got := testing.AllocsPerRun(200, use); got > 0 {
					t.Errorf("%v allocations", got)
				}
			})
		}
	}
}
