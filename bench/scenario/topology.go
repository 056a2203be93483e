package scenario

import "fmt"

// Topology says which nodes are connected: all pairs, or, where file descriptors do
// not suffice for that, each node with those that are up to reach away on a ring.
type Topology struct {
	Nodes int
	reach int
}

// descriptors that a process needs besides the grid's, and a share of all that
// handshakes in progress may hold.
const (
	spareDescriptors = 128
	handshakeShare   = 20
)

// newTopology connects as many pairs as a process with this many file descriptors
// can hold, if all nodes are in it.
func newTopology(nodes, descriptors int) (Topology, error) {
	t := Topology{Nodes: nodes, reach: nodes / 2}
	usable := descriptors - descriptors/handshakeShare - spareDescriptors - nodes // a listener each
	for t.reach > 0 && 2*t.Pairs() > usable {
		t.reach--
	}
	if t.reach == 0 {
		return t, fmt.Errorf("%d nodes need at least %d file descriptors in one process, and the limit is %d",
			nodes, (3*nodes+spareDescriptors)*handshakeShare/(handshakeShare-1)+1, descriptors)
	}
	return t, nil
}

// checkProcesses fails if the parent or one of its processes would run out of file
// descriptors.
func checkProcesses(nodes, descriptors int) error {
	const pipes = 3 // to each process, while it starts
	if need := (1+pipes)*nodes + spareDescriptors; need > descriptors {
		return fmt.Errorf("%d processes need %d file descriptors, and the limit is %d", nodes, need, descriptors)
	}
	return nil
}

// Peers returns the nodes that node i is connected to, nearest first.
func (t Topology) Peers(i int) []int {
	var peers []int
	for d := 1; d <= t.reach; d++ {
		up, down := (i+d)%t.Nodes, (i-d+t.Nodes)%t.Nodes
		peers = append(peers, up)
		if down != up {
			peers = append(peers, down)
		}
	}
	return peers
}

// Degree returns how many peers each node is connected to.
func (t Topology) Degree() int { return min(2*t.reach, t.Nodes-1) }

// Pairs returns how many pairs are connected.
func (t Topology) Pairs() int { return t.Nodes * t.Degree() / 2 }

// AllPairs returns how many pairs there are.
func (t Topology) AllPairs() int { return t.Nodes * (t.Nodes - 1) / 2 }
