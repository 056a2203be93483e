package result

import (
	"fmt"
	"math"

	"github.com/actorgrid/actorgrid/bench/peers/measure"
	"github.com/actorgrid/actorgrid/bench/peers/peer"
)

// Judge computes the figures of a run. The limits are those that the project has set
// itself.
func Judge(r *Run) []Figure {
	j := &judge{run: r, subject: Grid}
	j.singles()
	j.meshes()
	j.streams()
	j.shortStreams()
	j.broadcast()
	j.allocations()
	j.idle()
	j.tail()
	j.tls()
	j.growth()
	j.connections()
	j.processes()
	j.subject, j.note = GridRecycled, "recycled: "
	j.singles()
	j.streams()
	j.tail()
	j.subject, j.note = GridInline, "inline: "
	j.singles()
	j.meshes()
	j.broadcast()
	j.processes()
	return j.list
}

const us = " us"

func (j *judge) singles() {
	j.group = "single 512 B, one connection"
	at := func(callers int) string { return SingleShape(512, callers) }
	j.atMost("1 caller: at most 1.25 x the TCP ping-pong", j.ratio(at(1), TCP), 1.25, " x")
	best, name := j.bestPeer(at(2))
	j.atMost("2 callers: at most 0.6 x the best peer"+name, j.value(at(2), j.subject, Value)/best, 0.6, " x")
	j.sixteen(at(16))
	j.atMost("64 callers: at most 2.2 us", j.value(at(64), j.subject, Value), 2.2, us)
	j.atMost("512 callers: at most 1.5 us", j.value(at(512), j.subject, Value), 1.5, us)
	times := func(row string) measure.Number {
		return least(1/j.ratio(at(16), row), 1/j.ratio(at(64), row), 1/j.ratio(at(512), row))
	}
	j.atLeast("16, 64 and 512 callers: at least 3 times the original's shape (the least of the three)", times(Original), 3, " x")
	j.atLeast("16, 64 and 512 callers: at least 15 times gRPC (the least of the three)", times(GRPC), 15, " x")
}

// bestPeer is the lowest value of all that are neither actorgrid nor a floor, on one
// connection.
func (j *judge) bestPeer(shape string) (best measure.Number, name string) {
	best = measure.None
	t := j.run.Table(shape)
	if t == nil {
		return best, ""
	}
	for _, r := range t.Rows {
		if r.Role == peer.Subject || r.Role == peer.Floor || !r.OneConn {
			continue
		}
		if v := r.Median(Value); v.Known() && !(v >= best) {
			best, name = v, " ("+r.Name+")"
		}
	}
	return best, name
}

// sixteen holds by either of two limits.
func (j *judge) sixteen(shape string) {
	const claim = "16 callers: at most 4.5 us or 0.33 x the original's shape"
	v, ratio := j.value(shape, j.subject, Value), j.ratio(shape, Original)
	if !v.Known() {
		j.add(claim, "", NotMeasured)
		return
	}
	j.add(claim, fmt.Sprintf("%s us, %s x", Format(v), Format(ratio)), verdict(v <= 4.5 || ratio <= 0.33))
}

func (j *judge) meshes() {
	j.group = "all-to-all 512 B"
	j.atMost("8 nodes, 16 callers: at most 0.4 x the original's shape", j.ratio(MeshShape(8, 16), Original), 0.4, " x")
	j.atMost("8 nodes, 64 callers: at most 0.4 x the original's shape", j.ratio(MeshShape(8, 64), Original), 0.4, " x")
	big := j.value(MeshShape(32, 64), j.subject, Value)
	j.atMost("32 nodes, 64 callers: at most 16 us", big, 16, us)
	floor := j.value(SingleShape(512, 64), TCP, Value)
	j.atMost("32 nodes, 64 callers: under 2 x the kernel floor (raw TCP, 64 connections, nothing shared)", big/floor, 2, " x")
	j.atMost("32 nodes, 2 callers: at most 0.75 x the original's shape", j.ratio(MeshShape(32, 2), Original), 0.75, " x")
}

func (j *judge) streams() {
	j.group = "streams, 512 B, window 64"
	down, up := StreamShape("down", 512), StreamShape("up", 512)
	j.atMost("down: at most 0.7 us per message", j.value(down, j.subject, Value), 0.7, us)
	j.atMost("up: at most 0.7 us per message", j.value(up, j.subject, Value), 0.7, us)
	j.atLeast("down: 3 times NATS", 1/j.ratio(down, NATS), 3, " x")
	j.atLeast("down and up: 4 times gRPC (the lesser of the two)", least(1/j.ratio(down, GRPC), 1/j.ratio(up, GRPC)), 4, " x")
	j.atMost("ping-pong: at most 1.25 x raw TCP", j.ratio(StreamShape("ping-pong", 512), TCP), 1.25, " x")
	j.group = "bulk"
	for _, size := range []int{64 << 10, 1 << 20} {
		j.atLeast("messages of "+Size(size)+": at least 0.85 x what raw TCP moves", j.ratio(StreamShape("bulk", size), TCP), 0.85, " x")
	}
	allocated := j.value(StreamShape("bulk", 1<<20), j.subject, Bytes) / (1 << 20)
	note := ""
	if allocated.Known() {
		note = fmt.Sprintf("cannot be seen from outside; %s bytes allocated per byte moved at 1 MiB", Format(allocated))
	}
	j.add("at most 1 copy of the payload on each side", note, NotMeasured)
}

func (j *judge) shortStreams() {
	j.group = "streams of 10 messages, 64 callers, OpenMux/RegisterMux"
	for _, f := range []struct {
		kind  string
		limit float64
	}{{"down", 25}, {"up", 30}, {"echo", 40}} {
		j.atMost(fmt.Sprintf("%s: at most %g us per stream", f.kind, f.limit), j.value(ShortShape(f.kind), Grid, Value), f.limit, us)
		slower := j.value(ShortShape(f.kind), GridChannels, Value) / j.value(ShortShape(f.kind), Grid, Value)
		j.atMost(f.kind+": the channel forms at most 1.5 x that", slower, 1.5, " x")
	}
}

func (j *judge) broadcast() {
	j.group = "broadcast of 512 B to 31 nodes"
	j.atMost("at most 420 us", j.value(BroadcastShape, j.subject, Value), 420, us)
	j.atLeast("3 times the original's shape", 1/j.ratio(BroadcastShape, Original), 3, " x")
	j.atMost("p99 at most 2 x the median", j.value(BroadcastShape, j.subject, P99)/j.value(BroadcastShape, j.subject, P50), 2, " x")
}

func (j *judge) allocations() {
	j.group = "allocations per single, both sides"
	j.atMost("bytes: at most 3", round(j.value(SingleShape(512, 1), Grid, Allocs)), 3, "")
	j.atMost("typed: at most 6", round(j.value(TypedShape, Grid, Allocs)), 6, "")
	j.add("0 in frames, mailbox and session code", "counting tests of the main module", NotMeasured)
}

// round takes off what timers and the runtime allocate meanwhile: a call has a whole
// number of allocations.
func round(n measure.Number) measure.Number { return measure.Number(math.Round(float64(n))) }

func (j *judge) idle() {
	j.group = "idle, both ends"
	j.atMost("connection: at most 8 KiB of heap and stack", j.value(IdleConnections, Grid, Value), 8, " KiB")
	j.atMost("connection: 0 goroutines (those of the process divided by all connections: under 0.05)", j.value(IdleConnections, Grid, Gos), 0.05, " each")
	j.atMost("two-way stream: at most 4 KiB of heap, besides the goroutine", j.value(IdleStreams, Grid, Heap)/1024, 4, " KiB")
	j.atMost("two-way stream: at most one goroutine", j.value(IdleStreams, Grid, Gos), 1.01, " each")
}

func (j *judge) tail() {
	j.group = "p99.9 of a tiny call while 16 callers stream 64 KiB messages on the same connection"
	tail := j.value(TailShape, j.subject+BusyLink, P999) / j.value(TailShape, j.subject+IdleLink, P999)
	j.atMost("at most 5 x that of the idle connection", tail, 5, " x")
}

func (j *judge) tls() {
	j.group = "TLS"
	j.atMost("64 callers: within 1.6 x of plain", j.run.Table(TLSShape).Ratio(TLSLink, PlainLink), 1.6, " x")
}

func (j *judge) connections() {
	j.add("512 nodes connect all pairs that the descriptors allow; go run ./bench -nodes 128 works", "not this command's", NotMeasured)
}

// growth needs the row of 128 nodes; fewer are shown, and judged as what they are.
func (j *judge) growth() {
	j.group = "growth"
	claim := fmt.Sprintf("us per call within 1.3 x from %d to %d nodes", GrowthFrom, GrowthTo)
	t := j.run.Table(GrowthShape)
	if t == nil || len(t.Rows) == 0 {
		j.add(claim, "", NotMeasured)
	} else {
		last := t.Rows[len(t.Rows)-1].Name
		ratio := t.Ratio(last, GrowthRow(Grid, GrowthFrom))
		if last != GrowthRow(Grid, GrowthTo) && ratio.Known() {
			j.add(claim, fmt.Sprintf("%s x at %s only: descriptors are short, or -quick", Format(ratio), last), NotMeasured)
		} else {
			j.atMost(claim, ratio, 1.3, " x")
		}
	}
	row := j.run.Table(ManyStreamsShape).Row(Grid)
	switch {
	case row == nil || row.Err == "" && len(row.Rounds) == 0:
		j.add("100,000 open idle streams on one connection open, answer and close", "", NotMeasured)
	case row.Err != "":
		j.add("100,000 open idle streams on one connection open, answer and close", row.Err, FallsShort)
	default:
		n := row.Rounds[0].Ops
		j.add("100,000 open idle streams on one connection open, answer and close", fmt.Sprintf("%d did, %s us each", n, Format(row.Median(Value))), verdict(n >= 100000))
	}
}

// processes states both, and takes what happens to the floors as what the switches
// of processes explain, with the drift between two shapes on top.
func (j *judge) processes() {
	j.group = "two processes (-procs)"
	for _, callers := range []int{1, 2, 16, 64, 512} {
		one, two := SingleShape(512, callers), ProcsShape(512, callers)
		change := func(row string) measure.Number { return j.value(two, row, Value) / j.value(one, row, Value) }
		claim := fmt.Sprintf("%d callers: not worse than in one process by more than 1.25 x the larger change of the floors", callers)
		mine, floors := change(j.subject), worst(change(TCP), change(RawMux))
		if !mine.Known() || !floors.Known() {
			j.add(claim, "", NotMeasured)
			continue
		}
		j.add(claim, fmt.Sprintf("%s us, %s in one process: %s x; floors %s x", Format(j.value(two, j.subject, Value)),
			Format(j.value(one, j.subject, Value)), Format(mine), Format(floors)), verdict(mine <= max(1, 1.25*floors)))
	}
}
