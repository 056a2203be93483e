package gridnode_test

import (
	"context"
	"fmt"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	hUpper gridnode.HandlerID = 20 + iota
	hCount
)

// A two-way stream through methods: no goroutine on the calling side, one on the
// serving side.
func ExampleConnection_OpenMux() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterMux(hSum, gridnode.MuxHandler{
			InCapacity:  4, // numbers that may be on their way to the handler
			OutCapacity: 1,
			Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				sum := 0
				for msg, err := range st.All(ctx) {
					if err != nil {
						return err // cancelled, or the caller is gone
					}
					sum += int(msg[0])
				}
				return st.Send(ctx, fmt.Appendf(st.Payload(), "%d", sum))
			},
		})
	})
	defer stop()
	ctx := context.Background()
	st, err := nodes[0].Connection(nodes[1].Local()).OpenMux(ctx, hSum, []byte("the sum is "))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 10 {
		if err := st.Send(ctx, []byte{byte(i)}); err != nil {
			break // Recv tells why
		}
	}
	st.CloseSend()
	for msg, err := range st.All(ctx) {
		fmt.Println(string(msg), err)
	}
	// Output: the sum is 45 <nil>
}

// The channel form of a stream: write to Requests and close it, read Responses to
// the end.
func ExampleConnection_NewStream() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterStream(hCount, gridnode.StreamHandler{
			InCapacity:  2,
			OutCapacity: 2,
			Handle: func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
				n := 0
				for msg := range in {
					n++
					select {
					case out <- fmt.Appendf(nil, "%s%d: %s", payload, n, msg):
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}
				return nil
			},
		})
	})
	defer stop()
	st, err := nodes[0].Connection(nodes[1].Local()).NewStream(context.Background(), hCount, []byte("no. "))
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer close(st.Requests)
		for _, word := range []string{"one", "two", "three"} {
			st.Requests <- []byte(word)
		}
	}()
	err = st.Results(func(msg []byte) error {
		fmt.Println(string(msg))
		return nil
	})
	fmt.Println(err) // nil only if the handler returned nil: a cut is never a clean end
	// Output:
	// no. 1: one
	// no. 2: two
	// no. 3: three
	// <nil>
}
