package gridnode

import "testing"

// opened reports whether a ticket's holder may go on.
func opened(ticket chan struct{}) bool {
	select {
	case <-ticket:
		return true
	default:
		return false
	}
}

func TestGateLetsWaitersGoInOrder(t *testing.T) {
	var g gate
	g.openOne() // nobody waits: nothing is remembered
	a, b, c := g.join(), g.join(), g.join()
	if opened(a) {
		t.Fatal("open before its turn")
	}
	g.openOne()
	if !opened(a) || opened(b) || opened(c) {
		t.Fatal("not the first, or not the first alone")
	}
	g.openAll()
	if !opened(b) || !opened(c) || g.waiting != nil {
		t.Fatal("somebody still waits")
	}
}

func TestGateLeavingBeforeTheTurnTakesNobodysPlace(t *testing.T) {
	var g gate
	a, b, c := g.join(), g.join(), g.join()
	g.leave(b)
	g.openOne()
	if !opened(a) || opened(c) {
		t.Fatal("the one who left has changed the order")
	}
	g.openOne()
	if !opened(c) || opened(b) {
		t.Fatal("the one who left got the turn")
	}
}

func TestGateLeavingAfterTheTurnPassesItOn(t *testing.T) {
	var g gate
	a, b := g.join(), g.join()
	g.openOne() // a is called, and gives up at the same moment
	g.leave(a)
	if !opened(b) {
		t.Fatal("the turn is lost: the next waits for ever")
	}
	g.leave(b) // nobody left to pass it to
	if len(g.waiting) != 0 {
		t.Fatal("somebody still waits")
	}
}
