package gridnode_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/gridnode"
)

const hNextTicket gridnode.HandlerID = 31

// A handler that takes no time and waits for nothing is called where its request is
// read. With a caller that recycles, such a call allocates nothing on either side.
func ExampleManager_RegisterSingleInline() {
	var tickets atomic.Uint64
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterSingleInline(hNextTicket, func(_ context.Context, req []byte) ([]byte, error) {
			return binary.BigEndian.AppendUint64(req[:0], tickets.Add(1)), nil // in place of the request
		})
	})
	defer stop()
	for range 2 {
		resp, err := nodes[0].Connection(nodes[1].Local()).Request(context.Background(), hNextTicket, make([]byte, 8))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(binary.BigEndian.Uint64(resp))
		gridnode.Recycle(resp)
	}
	// Output:
	// 1
	// 2
}
