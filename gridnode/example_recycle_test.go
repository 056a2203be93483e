package gridnode_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/actorgrid/actorgrid/gridnode"
)

const hUpload gridnode.HandlerID = 30

// A handler that is done with each message when it asks for the next gives it back:
// large messages then cost the garbage collector nothing.
func ExampleRecycle() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterMux(hUpload, gridnode.MuxHandler{InCapacity: 8, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			sum := crc32.NewIEEE()
			for {
				msg, err := st.Recv(ctx)
				if err == io.EOF {
					return st.Send(ctx, fmt.Appendf(nil, "%08x", sum.Sum32()))
				}
				if err != nil {
					return err
				}
				sum.Write(msg)
				gridnode.Recycle(msg) // from here on msg is somebody else's
			}
		}})
	})
	defer stop()
	ctx := context.Background()
	st, err := nodes[0].Connection(nodes[1].Local()).OpenMux(ctx, hUpload, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	part := make([]byte, 64<<10)
	for range 16 {
		if err := st.Send(ctx, part); err != nil {
			break // Recv tells why
		}
	}
	st.CloseSend()
	for msg, err := range st.All(ctx) {
		fmt.Println(string(msg), err)
	}
	// Output: a738ea1c <nil>
}
