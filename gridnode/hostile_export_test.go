package gridnode

// What tests that play a hostile peer need to know from inside.

// Dials tells which of two nodes dials the other.
func Dials(local, remote string) bool { return dials(local, remote) }

// ServedMuxes is how many calls and streams the node counts as being served.
func (m *Manager) ServedMuxes() int64 { return m.muxes.Load() }

// Handshakes is how many handshakes the node counts as being in progress.
func (m *Manager) Handshakes() int64 { return m.handshakes.Load() }

// MaxHandshakes is their limit.
const MaxHandshakes = maxHandshakes

// Assembling is how many messages of the peer have begun to arrive; the session must
// be at rest.
func (c *Connection) Assembling() int {
	if s := c.session.Load(); s != nil {
		return len(s.assembling)
	}
	return 0
}
