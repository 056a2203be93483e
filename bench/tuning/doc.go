// Tuning checks, on demand, that the values which the Go scheduler decides about are
// still the best ones:
//
//	go run ./bench/tuning [-knob regexp] [-rounds 5] [-duration 300ms] [-margin 0.1]
//
// The values are constants of the library, and stay that: for each other value the
// command builds the benchmark with one line of the source replaced, and runs all
// these builds in turns. What counts is the ratio to the shipped value in the same
// round, since the machine drifts. It fails if another value is better by more than
// the margin, over all shapes together.
package main
