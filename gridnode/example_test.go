package gridnode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The lines from here to the end of Example are README.md's, to the letter.

const greet gridnode.HandlerID = 1 // the same number means the same handler on every node

func serve(l net.Listener, local string, all []string) *gridnode.Manager { // on each server
	m, err := gridnode.NewManager(gridnode.Config{Local: local, Peers: all})
	if err != nil {
		log.Fatal(err) // names the field that is wrong
	}
	err = m.RegisterSingle(greet, func(ctx context.Context, req []byte) ([]byte, error) {
		return append([]byte("hello, "), req...), nil
	})
	if err = errors.Join(err, m.Start()); err != nil {
		log.Fatal(err)
	}
	go m.Serve(l) // or mount m.Handler() on "/grid/v1" of your own http.Server
	return m
}

func Example() {
	one, _ := net.Listen("tcp", "127.0.0.1:0")
	two, _ := net.Listen("tcp", "127.0.0.1:0")
	all := []string{"http://" + one.Addr().String(), "http://" + two.Addr().String()}
	a, b := serve(one, all[0], all), serve(two, all[1], all)
	defer b.Close()
	defer a.Close()
	conn := a.Connection(all[1]) // the same for the life of the node; calls go both ways
	err := conn.WaitForConnect(context.Background())
	resp, callErr := conn.Request(context.Background(), greet, []byte("grid"))
	fmt.Println(string(resp), err, callErr)
	// Output: hello, grid <nil> <nil>
}
