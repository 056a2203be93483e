package frames_test

import (
	"fmt"

	"github.com/actorgrid/actorgrid/frames"
)

// A batch with two frames and a checksum, written and read.
func Example() {
	batch := make([]byte, frames.ChecksumSize)
	batch = frames.Append(batch, &frames.Frame{Op: frames.OpRequest, Mux: 1, Timeout: 1_000_000, Payload: []byte("ping")})
	batch = frames.Append(batch, &frames.Frame{Op: frames.OpCancel, Mux: 1, Code: frames.CodeCanceled, Text: []byte("never mind")})
	frames.PutChecksum(batch)

	body, err := frames.CheckBatch(batch)
	for err == nil && len(body) > 0 {
		var f frames.Frame
		if body, err = frames.Decode(body, &f); err == nil {
			fmt.Printf("%v %d %v %q\n", f.Op, f.Mux, f.Code, append(f.Payload, f.Text...))
		}
	}
	fmt.Println(err)
	// Output:
	// request 1 ok "ping"
	// cancel 1 canceled "never mind"
	// <nil>
}
