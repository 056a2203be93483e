// Peers compares actorgrid with other ways for Go servers to call each other:
//
//	go run -C bench/peers . [-shape regexp] [-peer regexp] [-procs] [-rounds 5] [-heap MiB] [-json file] [-plots directory]
//
// A shape is one thing that all who can do it do in turn, in rounds, so that the drift of
// the machine hits all alike: calls of 1 to 512 callers between two nodes, calls between
// all of 8 and 32 nodes, streams long and short, a broadcast, small calls beside large
// messages, and what an idle connection and stream cost. All load is closed: a caller
// calls again when it has its answer. Both ends are in this process, over loopback TCP,
// unless a shape says otherwise.
//
// actorgrid takes part with its plain API, with the channel form of streams, with users
// that give buffers back ("recycled"), and with handlers that are called by the reader
// and callers that recycle ("inline"). The floors are no libraries: raw TCP connections,
// for one-way streams also with a window as theirs,
// and a multiplexer without any feature. The references are shapes of our own, in this
// directory: "original-shape" has a goroutine, a context and channels where the grid that
// this project comes from has them.
//
// What is reported is the median of the rounds, the least and the most; percentiles of the
// latency of all rounds together; CPU time and allocations of the whole process per
// operation; and at the end the figures that the project has set itself, and whether they
// hold in this run. The process has next to no heap, so that garbage is collected every
// few milliseconds, from all alike; -heap gives it one.
package main
