package gridnode_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	hSum gridnode.HandlerID = 10 + iota
	hSlow
	hBuy
	hReserve
)

// The context's deadline travels with the call, and its end reaches the handler.
func ExampleConnection_Request() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterSingle(hSlow, func(ctx context.Context, req []byte) ([]byte, error) {
			<-ctx.Done() // this handler is never quick enough
			return nil, context.Cause(ctx)
		})
	})
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := nodes[0].Connection(nodes[1].Local()).Request(ctx, hSlow, []byte("anything"))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

var errSoldOut = errors.New("sold out")

// Every node registers the application's errors under the same codes, once.
var _ = gridnode.RegisterError(4711, errSoldOut)

func ExampleRegisterError() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return m.RegisterSingle(hBuy, func(ctx context.Context, req []byte) ([]byte, error) {
			return nil, fmt.Errorf("item %s: %w", req, errSoldOut)
		})
	})
	defer stop()
	_, err := nodes[0].Connection(nodes[1].Local()).Request(context.Background(), hBuy, []byte("7"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, errSoldOut), errors.Is(err, gridnode.ErrDisconnected))
	// Output:
	// remote: item 7: sold out
	// true false
}

// A typed call; Reserve has msgp's generated methods.
var reserve = gridnode.NewSingle[Reserve, Reserve](hReserve)

func ExampleNewSingle() {
	nodes, stop := startGrid(2, func(m *gridnode.Manager) error {
		return reserve.Register(m, func(ctx context.Context, req *Reserve) (*Reserve, error) {
			return &Reserve{Item: req.Item, Count: min(req.Count, 3)}, nil // three are left
		})
	})
	defer stop()
	conn := nodes[0].Connection(nodes[1].Local())
	got, err := reserve.Call(context.Background(), conn, &Reserve{Item: "chair", Count: 5})
	fmt.Printf("%+v %v\n", *got, err)
	// Output: {Item:chair Count:3} <nil>
}
