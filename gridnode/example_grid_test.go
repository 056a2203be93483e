package gridnode_test

import (
	"context"
	"log"
	"net"
	"sync"

	"github.com/actorgrid/actorgrid/gridnode"
)

// startGrid starts n connected nodes on loopback, as n servers would each do for
// themselves, and returns them with what ends them.
func startGrid(n int, register func(m *gridnode.Manager) error) (nodes []*gridnode.Manager, stop func()) {
	var listeners []net.Listener
	var names []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		listeners = append(listeners, l)
		names = append(names, "http://"+l.Addr().String())
	}
	var serving sync.WaitGroup
	for i, l := range listeners {
		m, err := gridnode.NewManager(gridnode.Config{Local: names[i], Peers: names})
		if err != nil {
			log.Fatal(err)
		}
		if err := register(m); err != nil {
			log.Fatal(err)
		}
		if err := m.Start(); err != nil {
			log.Fatal(err)
		}
		serving.Go(func() { m.Serve(l) })
		nodes = append(nodes, m)
	}
	connectAll(nodes)
	return nodes, func() {
		for _, m := range nodes {
			if err := m.Close(); err != nil {
				log.Print(err)
			}
		}
		serving.Wait()
	}
}

// connectAll waits until every node sees every other.
func connectAll(nodes []*gridnode.Manager) {
	for _, m := range nodes {
		for _, peer := range m.Peers() {
			if err := m.Connection(peer).WaitForConnect(context.Background()); err != nil {
				log.Fatal(err)
			}
		}
	}
}
