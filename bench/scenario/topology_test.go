package scenario

import (
	"slices"
	"strings"
	"testing"
)

func TestAllPairsAreConnectedIfDescriptorsSuffice(t *testing.T) {
	for nodes := MinNodes; nodes <= 40; nodes++ {
		topology, err := newTopology(nodes, 20000)
		if err != nil {
			t.Fatal(err)
		}
		if topology.Pairs() != topology.AllPairs() || topology.AllPairs() != nodes*(nodes-1)/2 {
			t.Errorf("%d nodes: %d of %d pairs", nodes, topology.Pairs(), topology.AllPairs())
		}
	}
}

func TestConnectionsAreMutualAndFitTheDescriptors(t *testing.T) {
	for _, nodes := range []int{2, 3, 8, 33, 128} {
		for _, limit := range []int{256, 512, 1024, 4096, 20000} {
			topology, err := newTopology(nodes, limit)
			if err != nil {
				continue // TestTooFewDescriptors
			}
			if used := 2*topology.Pairs() + nodes; used > limit {
				t.Errorf("%d nodes: %d descriptors of %d", nodes, used, limit)
			}
			ends := 0
			for i := range nodes {
				peers := topology.Peers(i)
				ends += len(peers)
				for _, p := range peers {
					if p == i || !slices.Contains(topology.Peers(p), i) {
						t.Errorf("%d nodes, limit %d: %d knows %d, which does not know it", nodes, limit, i, p)
					}
				}
				if len(peers) != topology.Degree() {
					t.Errorf("%d nodes, limit %d: node %d has %d peers, want %d", nodes, limit, i, len(peers), topology.Degree())
				}
				slices.Sort(peers)
				if len(slices.Compact(peers)) != len(topology.Peers(i)) {
					t.Errorf("%d nodes, limit %d: node %d has a peer twice", nodes, limit, i)
				}
			}
			if ends != 2*topology.Pairs() {
				t.Errorf("%d nodes, limit %d: %d ends of %d pairs", nodes, limit, ends, topology.Pairs())
			}
		}
	}
}

func TestTooFewDescriptors(t *testing.T) {
	if _, err := newTopology(512, 256); err == nil || !strings.Contains(err.Error(), "the limit is 256") {
		t.Errorf("512 nodes with 256 descriptors: %v", err)
	}
	for _, nodes := range []int{2, 8, 128, 512} { // what the error asks for is enough, and needed
		need := 0
		for need = 1; ; need++ {
			if _, err := newTopology(nodes, need); err == nil {
				break
			}
		}
		if need < 2*nodes || need > 4*nodes+400 {
			t.Errorf("%d nodes start with %d descriptors", nodes, need)
		}
	}
	if err := checkProcesses(512, 1024); err == nil {
		t.Error("512 processes with 1024 descriptors were accepted")
	}
	if err := checkProcesses(128, 1024); err != nil {
		t.Errorf("128 processes with 1024 descriptors: %v", err)
	}
}

func TestFirstPeerOfNode0IsNode1(t *testing.T) {
	for nodes := MinNodes; nodes <= MaxNodes; nodes++ {
		if got := (Topology{nodes, 1}).Peers(0)[0]; got != 1 {
			t.Fatalf("%d nodes: node %d", nodes, got)
		}
	}
}
