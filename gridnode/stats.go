package gridnode

import (
	"sync/atomic"
	"time"
)

// ConnectionStats is a snapshot. Counters run over the life of the Connection.
type ConnectionStats struct {
	State      State
	BytesIn    uint64        // bytes of WebSocket messages received, after the handshake
	BytesOut   uint64        // bytes of WebSocket messages sent
	BatchesIn  uint64        // WebSocket messages received; each carries one or more frames
	BatchesOut uint64        // WebSocket messages sent
	Sessions   uint64        // times that the connection came up
	Restarts   uint64        // of these, times that the peer was a new process
	Since      time.Time     // when the current session came up; zero if there is none
	RTT        time.Duration // of the last ping; 0 before the first

	Calls          int // singles waiting for their response
	Streams        int // streams opened here and not ended
	ServingCalls   int // singles of the peer being served
	ServingStreams int // streams of the peer being served
	QueuedBytes    int // bytes waiting to be written
	HeldBytes      int // bytes received and not yet taken
}

// counters outlive sessions. The flusher, the reader and the actor each write
// theirs, so there is next to no contention.
type counters struct {
	bytesIn, bytesOut     atomic.Uint64
	batchesIn, batchesOut atomic.Uint64
	sessions, restarts    atomic.Uint64
	rtt                   atomic.Int64
	since                 atomic.Int64 // Unix nanoseconds
	instance              [16]byte     // of the last session's peer; owned by the actor
}

func (c *counters) sent(n int) {
	c.bytesOut.Add(uint64(n))
	c.batchesOut.Add(1)
}

func (c *counters) received(n int) {
	c.bytesIn.Add(uint64(n))
	c.batchesIn.Add(1)
}

// connected counts a session; the connection's actor calls it.
func (c *counters) connected(s *session) {
	if c.sessions.Add(1) > 1 && c.instance != s.peer.instance {
		c.restarts.Add(1)
	}
	c.instance = s.peer.instance
	c.since.Store(time.Now().UnixNano())
}

// Stats returns a snapshot; its parts are read one after the other.
func (c *Connection) Stats() ConnectionStats {
	n := &c.counters
	st := ConnectionStats{
		State:      c.State(),
		BytesIn:    n.bytesIn.Load(),
		BytesOut:   n.bytesOut.Load(),
		BatchesIn:  n.batchesIn.Load(),
		BatchesOut: n.batchesOut.Load(),
		Sessions:   n.sessions.Load(),
		Restarts:   n.restarts.Load(),
		RTT:        time.Duration(n.rtt.Load()),
	}
	for _, s := range c.ends() {
		st.Since = time.Unix(0, n.since.Load())
		s.count(&st)
	}
	return st
}

// count adds what the session has in hand.
func (s *session) count(st *ConnectionStats) {
	st.HeldBytes += int(s.held.Load())
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Calls += s.calls.len()
	st.Streams += s.clients.len()
	st.ServingCalls += s.singles.len()
	st.ServingStreams += s.servers.len()
	st.QueuedBytes += s.out.bytes + s.wire.Pending()
}
