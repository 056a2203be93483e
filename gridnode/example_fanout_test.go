package gridnode_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/actorgrid/actorgrid/gridnode"
)

const (
	hPing gridnode.HandlerID = 30 + iota
	hLock
	hUnlock
)

func ExampleManager_Broadcast() {
	nodes, stop := startGrid(4, func(m *gridnode.Manager) error {
		return m.RegisterSingle(hPing, func(ctx context.Context, req []byte) ([]byte, error) {
			return append(req, " pong"...), nil
		})
	})
	defer stop()
	results := nodes[0].Broadcast(context.Background(), hPing, []byte("ping"), gridnode.Fanout{})
	for i, r := range results { // in the order of Config.Peers
		fmt.Println(r.Peer == nodes[i+1].Local(), string(r.Resp), r.Err)
	}
	// Output:
	// true ping pong <nil>
	// true ping pong <nil>
	// true ping pong <nil>
}

// A lock that three of five nodes must grant. One has granted it to somebody else
// already; what is granted and not needed is given back.
func ExampleManager_Quorum() {
	var mu sync.Mutex
	holder := map[string]string{} // node: who holds its lock
	nodes, stop := startGrid(6, func(m *gridnode.Manager) error {
		lock := func(ctx context.Context, req []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if holder[m.Local()] != "" {
				return nil, errors.New("locked")
			}
			holder[m.Local()] = string(req)
			return nil, nil
		}
		unlock := func(ctx context.Context, req []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			delete(holder, m.Local())
			return nil, nil
		}
		return errors.Join(m.RegisterSingle(hLock, lock), m.RegisterSingle(hUnlock, unlock))
	})
	defer stop()
	mu.Lock()
	holder[nodes[3].Local()] = "somebody else"
	mu.Unlock()

	late := make(chan string, len(nodes))
	undo := func(r gridnode.Result) {
		_, err := nodes[0].Connection(r.Peer).Request(context.Background(), hUnlock, nil)
		late <- fmt.Sprint("given back: ", err)
	}
	granted, err := nodes[0].Quorum(context.Background(), hLock, []byte("me"), 3, gridnode.Fanout{}, undo)
	n := 0
	for _, r := range granted {
		if r.Err == nil {
			n++
		}
	}
	fmt.Println(n, err)
	fmt.Println(<-late)
	// Output:
	// 3 <nil>
	// given back: <nil>
}
