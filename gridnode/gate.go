package gridnode

// gate is where senders wait for room in the out queue, first come first served.
// Its owner's lock guards it; a ticket is closed to let its holder go on.
type gate struct{ waiting []chan struct{} }

// join returns a new ticket.
func (g *gate) join() chan struct{} {
	ticket := make(chan struct{})
	g.waiting = append(g.waiting, ticket)
	return ticket
}

// leave gives a ticket back; if it was called meanwhile, the turn passes on.
func (g *gate) leave(ticket chan struct{}) {
	for i, t := range g.waiting {
		if t == ticket {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return
		}
	}
	g.openOne()
}

func (g *gate) openOne() {
	if len(g.waiting) == 0 {
		return
	}
	close(g.waiting[0])
	g.waiting[0] = nil
	if g.waiting = g.waiting[1:]; len(g.waiting) == 0 {
		g.waiting = nil
	}
}

func (g *gate) openAll() {
	for len(g.waiting) > 0 {
		g.openOne()
	}
}
