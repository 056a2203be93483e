// Package frames is the wire format of the grid: what SPEC.md in this directory
// says, as Append and Decode. It has no goroutine, no clock and no I/O, and
// allocates nothing per frame.
package frames
