package gridnode

import (
	"testing"
	"testing/synctest"
)

// Nodes of one bubble of testing/synctest must leave nothing behind, in a pool say,
// that a node of another bubble finds: a channel belongs to its bubble.
func TestNodesOfDifferentBubblesShareNothing(t *testing.T) {
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			m, err := NewManager(Config{Local: "http://127.0.0.1:1"})
			if err != nil {
				t.Fatal(err)
			}
			if err := echoing(m); err != nil {
				t.Fatal(err)
			}
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
			conn := m.Connection(m.Local())
			if err := conn.WaitForConnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				if resp, err := conn.Request(t.Context(), 1, []byte("x")); err != nil || string(resp) != "x" {
					t.Fatal(resp, err)
				}
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
