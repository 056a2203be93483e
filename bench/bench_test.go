package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// echoCallers are the counts of the echo benchmarks.
var echoCallers = []int{1, 2, 16, 64, 512}

func BenchmarkSingle(b *testing.B) {
	for _, size := range []int{512, 4 << 10, 64 << 10} {
		g := benchGrid(b, scenario.Config{Nodes: 2, Size: size})
		for _, callers := range echoCallers {
			b.Run(fmt.Sprintf("size=%d/callers=%d", size, callers), func(b *testing.B) {
				benchmark(b, g, "single", callers)
			})
		}
	}
}

func BenchmarkSingleTLS(b *testing.B) {
	g := benchGrid(b, scenario.Config{Nodes: 2, Size: 512, TLS: true})
	for _, callers := range echoCallers {
		b.Run(fmt.Sprintf("size=512/callers=%d", callers), func(b *testing.B) {
			benchmark(b, g, "single", callers)
		})
	}
}

// callers are those of each node.
func BenchmarkAllToAll(b *testing.B) {
	for _, nodes := range []int{2, 8, 32} {
		g := benchGrid(b, scenario.Config{Nodes: nodes, Size: 512})
		for _, callers := range echoCallers {
			b.Run(fmt.Sprintf("nodes=%d/callers=%d", nodes, callers), func(b *testing.B) {
				benchmark(b, g, "all-to-all", callers)
			})
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, peers := range []int{1, 3, 7, 31} {
		g := benchGrid(b, scenario.Config{Nodes: peers + 1, Size: 512})
		for _, callers := range []int{1, 16} {
			b.Run(fmt.Sprintf("peers=%d/callers=%d", peers, callers), func(b *testing.B) {
				benchmark(b, g, "broadcast", callers)
			})
		}
	}
}

func BenchmarkStreamDown(b *testing.B)     { benchmarkStream(b, "stream-down") }
func BenchmarkStreamUp(b *testing.B)       { benchmarkStream(b, "stream-up") }
func BenchmarkStreamPingPong(b *testing.B) { benchmarkStream(b, "stream-pingpong") }
func BenchmarkChanDown(b *testing.B)       { benchmarkStream(b, "chan-down") }
func BenchmarkChanUp(b *testing.B)         { benchmarkStream(b, "chan-up") }
func BenchmarkChanPingPong(b *testing.B)   { benchmarkStream(b, "chan-pingpong") }

func benchmarkStream(b *testing.B, name string) {
	for _, size := range []int{512, 64 << 10} {
		for _, window := range []int{1, 64} {
			g := benchGrid(b, scenario.Config{Nodes: 2, Size: size, Window: window})
			b.Run(fmt.Sprintf("size=%d/window=%d", size, window), func(b *testing.B) {
				benchmark(b, g, name, 1)
			})
		}
	}
}

func BenchmarkStream10Down(b *testing.B) { benchmarkShort(b, "stream10-down") }
func BenchmarkStream10Up(b *testing.B)   { benchmarkShort(b, "stream10-up") }
func BenchmarkStream10Both(b *testing.B) { benchmarkShort(b, "stream10-both") }
func BenchmarkChan10Both(b *testing.B)   { benchmarkShort(b, "chan10-both") }

// benchmarkShort measures whole streams of ten messages.
func benchmarkShort(b *testing.B, name string) {
	g := benchGrid(b, scenario.Config{Nodes: 2, Size: 512})
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("size=512/callers=%d", callers), func(b *testing.B) {
			benchmark(b, g, name, callers)
		})
	}
}

func benchGrid(b *testing.B, cfg scenario.Config) *scenario.Grid {
	b.Helper()
	g, err := scenario.Start(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := g.Close(); err != nil {
			b.Error(err)
		}
	})
	return g
}

// benchmark runs b.N operations of all callers together. Opening the callers is not
// measured.
func benchmark(b *testing.B, g *scenario.Grid, name string, callers int) {
	b.Helper()
	b.ReportAllocs()
	b.StopTimer()
	s, err := scenario.Named(name)
	if err != nil {
		b.Fatal(err)
	}
	p, err := g.Prepare(context.Background(), s, callers, scenario.Ops(b.N))
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	b.StartTimer()
	r, err := p.Run(context.Background())
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	if r.Errors > 0 {
		b.Fatalf("%d callers failed: %s", r.Errors, r.Err)
	}
	b.SetBytes(int64(r.Bytes / r.Ops))
	b.ReportMetric(float64(r.P50)/1e3, "p50-us")
	b.ReportMetric(float64(r.P99)/1e3, "p99-us")
}
