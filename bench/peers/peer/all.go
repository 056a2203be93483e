package peer

// All returns the peers in the order of the report: the subject, the floors, our
// references, the libraries.
func All() []*Peer {
	return []*Peer{
		Grid(), GridRecycled(), GridInline(), GridChannels(),
		TCP(), TCPOneConnection(), RawMux(),
		Original(), Gorilla(),
		GRPC(), DRPC(), DRPCPool(), TTRPC(), Connect(), NetRPC(), Yamux(), YamuxReused(), NATS(),
	}
}

// Find returns the peer with this name, or nil.
func Find(name string) *Peer {
	for _, p := range All() {
		if p.Name == name {
			return p
		}
	}
	return nil
}
