package measure

import (
	"runtime"
	"time"
)

// Footprint is what the process holds at rest.
type Footprint struct {
	Heap, Stack int64
	Goroutines  int
}

// AtRest waits until the number of goroutines has not changed for quiet, empties the
// pools, and returns what is left.
func AtRest(quiet time.Duration) Footprint {
	const step = 20 * time.Millisecond
	poll := time.NewTicker(step)
	defer poll.Stop()
	last, same := runtime.NumGoroutine(), time.Duration(0)
	for waited := time.Duration(0); same < quiet && waited < 4*quiet+time.Second; waited += step {
		<-poll.C
		if n := runtime.NumGoroutine(); n != last {
			last, same = n, 0
			continue
		}
		same += step
	}
	for range 3 { // a sync.Pool outlives two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Footprint{Heap: int64(m.HeapAlloc), Stack: int64(m.StackInuse), Goroutines: runtime.NumGoroutine()}
}

// Sub is the difference.
func (f Footprint) Sub(before Footprint) Footprint {
	return Footprint{Heap: f.Heap - before.Heap, Stack: f.Stack - before.Stack, Goroutines: f.Goroutines - before.Goroutines}
}

// Each is the sample of one of n idle things that cost f together: its value is heap
// and stack in KiB.
func (f Footprint) Each(n int) Sample {
	s := empty()
	s.Ops = int64(n)
	s.Heap, s.Stack = Number(float64(f.Heap)/float64(n)), Number(float64(f.Stack)/float64(n))
	s.Goroutines = Number(float64(f.Goroutines) / float64(n))
	s.Value = (s.Heap + s.Stack) / 1024
	return s
}
