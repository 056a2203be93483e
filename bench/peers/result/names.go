package result

import "fmt"

// Names of the peers that the figures name.
const (
	Grid         = "actorgrid"
	GridChannels = "actorgrid-chan"
	GridRecycled = "actorgrid-recycled"
	GridInline   = "actorgrid-inline"
	TCP          = "tcp"
	RawMux       = "rawmux"
	Original     = "original-shape"
	GRPC         = "grpc"
	NATS         = "nats"
)

// Names of shapes.
const (
	TypedShape       = "typed/512B/1"
	BroadcastShape   = "broadcast/512B/31"
	TailShape        = "tail/16B-beside-64KiB"
	TLSShape         = "tls/512B/64"
	GrowthShape      = "growth/512B"
	FloorGrowthShape = "growth-floor/512B"
	IdleConnections  = "idle/connection"
	IdleStreams      = "idle/stream"
	ManyStreamsShape = "streams/100000-open"
)

// SingleShape is the name of an echo of size bytes by so many callers.
func SingleShape(size, callers int) string { return fmt.Sprintf("single/%s/%d", Size(size), callers) }

// MeshShape is the name of an all-to-all shape.
func MeshShape(nodes, callers int) string { return fmt.Sprintf("all-to-all/%d/%d", nodes, callers) }

// StreamShape is the name of a long stream of messages of size bytes.
func StreamShape(kind string, size int) string { return fmt.Sprintf("stream/%s/%s", kind, Size(size)) }

// ShortShape is the name of streams of ten messages.
func ShortShape(kind string) string { return "short-stream/" + kind + "/64" }

// ProcsShape is the name of a single shape with its server in another process.
func ProcsShape(size, callers int) string { return "procs/" + SingleShape(size, callers) }

// Names of rows that are no peer's.
const (
	IdleLink  = " idle"
	BusyLink  = " busy"
	PlainLink = "actorgrid plain"
	TLSLink   = "actorgrid TLS"
)

// GrowthRow is the name of a row of the growth shape.
func GrowthRow(peer string, nodes int) string { return fmt.Sprintf("%s %d nodes", peer, nodes) }

// Size is a number of bytes as it is written in names.
func Size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", n>>10)
	}
	return fmt.Sprintf("%dB", n)
}

// The numbers of nodes between which growth is judged.
const (
	GrowthFrom = 8
	GrowthTo   = 128
)
