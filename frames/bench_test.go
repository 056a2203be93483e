package frames_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

// benchmarked are the frames of the hot path, with payloads of 512 bytes.
func benchmarked() []kind {
	payload := bytes.Repeat([]byte("x"), 512)
	return []kind{
		{"request", frames.Frame{Op: frames.OpRequest, Mux: 123_457, Target: 3, Timeout: 10_000_000, Payload: payload}},
		{"reply", frames.Frame{Op: frames.OpReply, Mux: 123_457, Payload: payload}},
		{"open", frames.Frame{Op: frames.OpOpen, Mux: 123_457, Target: 3, Timeout: 10_000_000, Credit: 16, Payload: payload}},
		{"data", frames.Frame{Op: frames.OpData, Mux: 123_457, Payload: payload}},
		{"credit", frames.Frame{Op: frames.OpCredit, Mux: 123_457, Credit: 8}},
		{"status", frames.Frame{Op: frames.OpStatus, Mux: 123_457, Code: 1000, Text: []byte("out of stock")}},
		{"ping", frames.Frame{Op: frames.OpPing, Credit: 123_456_789_012}},
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, k := range benchmarked() {
		b.Run("op="+k.name, func(b *testing.B) {
			buf := make([]byte, 0, 1<<10)
			b.SetBytes(int64(len(frames.Append(buf, &k.frame))))
			b.ReportAllocs()
			for b.Loop() {
				buf = frames.Append(buf[:0], &k.frame)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, k := range benchmarked() {
		b.Run("op="+k.name, func(b *testing.B) {
			buf := frames.Append(nil, &k.frame)
			var f frames.Frame
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := frames.Decode(buf, &f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkChecksum(b *testing.B) {
	for _, size := range []int{64, 600, 4 << 10, 64 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			batch := make([]byte, frames.ChecksumSize+size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				frames.PutChecksum(batch)
			}
		})
	}
}
