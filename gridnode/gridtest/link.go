package gridtest

import "time"

// Link is the network between two nodes, both directions of it. What its methods do
// holds for the connections of the link that exist and for those to come, until it
// is undone; Cut and CutAfter end connections that exist. All methods may be called
// concurrently.
type Link struct{ faults faults }

// faults is what each network implements.
type faults interface {
	Cut()
	CutAfter(bytes int)
	Delay(d time.Duration)
	Throttle(bytesPerSecond int)
	Stall()
	Resume()
	Partition()
	Heal()
}

// Cut breaks the connections of the link at once, as the death of a process or a
// reset does; what is on its way is lost. New ones can be made.
func (l *Link) Cut() { l.faults.Cut() }

// CutAfter breaks the connections of the link when that many bytes more have passed,
// both directions counted together: in the middle of a frame, if it comes to that. It
// happens once; a negative number calls it off.
func (l *Link) CutAfter(bytes int) { l.faults.CutAfter(bytes) }

// Delay makes every byte, and the end of a connection, arrive d later; 0 ends it.
func (l *Link) Delay(d time.Duration) { l.faults.Delay(d) }

// Throttle limits each direction of a connection on its own; 0 ends it.
func (l *Link) Throttle(bytesPerSecond int) { l.faults.Throttle(bytesPerSecond) }

// Stall makes nothing arrive any more, not even the end of a connection, and makes
// dials wait, while connections stay up: a peer that hangs, or a black hole. Beyond
// the buffers on the way nothing is taken in. Resume ends it, and nothing is lost.
func (l *Link) Stall() { l.faults.Stall() }

// Resume ends Stall.
func (l *Link) Resume() { l.faults.Resume() }

// Partition breaks the connections of the link and lets none be made until Heal.
func (l *Link) Partition() { l.faults.Partition() }

// Heal ends Partition.
func (l *Link) Heal() { l.faults.Heal() }
