package scenario

import (
	"context"
	"fmt"
)

// Scenario is one way to load a grid. All lists them.
type Scenario struct {
	Name    string
	About   string // what one operation is
	Callers []int  // goroutines that the command runs it with, one after the other

	from  origin
	bytes func(cfg Config, peers int) int // payload of one operation, both directions
	open  func(ctx context.Context, n *node, i int, cfg Config) (caller, error)
}

// origin is where a scenario's callers are.
type origin uint8

const (
	fromFirst origin = iota // on node 0
	fromAll                 // as many on every node
)

// caller is one goroutine's part of a scenario.
type caller interface {
	// step does one operation.
	step(ctx context.Context) error
	// finish ends what was opened and checks that nothing was lost. It is part of the
	// measured time.
	finish(ctx context.Context) error
}

// tenMessages is the length of the short streams.
const tenMessages = 10

var (
	everyCount = []int{1, 2, 16, 64, 512}
	oneCaller  = []int{1}
	manyShort  = []int{64}
)

// All returns the scenarios in the order in which the command runs them.
func All() []Scenario {
	return []Scenario{
		{"single", "a request and its response, node 0 to node 1, one connection",
			everyCount, fromFirst, requestBytes, openSingle},
		{"all-to-all", "a request and its response, every node to all others in turn",
			everyCount, fromAll, requestBytes, openAllToAll},
		{"broadcast", "a request from node 0 to all others, and all responses",
			[]int{1, 16}, fromFirst, broadcastBytes, openBroadcast},
		{"stream-down", "receiving one message of an endless stream; methods",
			oneCaller, fromFirst, messageBytes, openDown},
		{"stream-up", "sending one message on an endless stream; methods",
			oneCaller, fromFirst, messageBytes, openUp},
		{"stream-pingpong", "a message to the handler and its echo, on one stream; methods",
			oneCaller, fromFirst, requestBytes, openPingPong},
		{"stream10-down", "a whole stream: open, 10 messages from the handler, end; methods",
			manyShort, fromFirst, tenBytes, openShort(shortDown)},
		{"stream10-up", "a whole stream: open, 10 messages to the handler, end; methods",
			manyShort, fromFirst, tenBytes, openShort(shortUp)},
		{"stream10-both", "a whole stream: open, 10 messages and 10 echoes, end; methods",
			manyShort, fromFirst, twentyBytes, openShort(shortBoth)},
		{"recycled-single", "as single; all buffers are given back",
			[]int{64, 512}, fromFirst, requestBytes, openRecycledSingle(hLent)},
		{"recycled-down", "as stream-down; the messages are given back",
			oneCaller, fromFirst, messageBytes, openRecycledDown},
		{"inline-single", "as recycled-single, to a handler that is called by the reader",
			[]int{64, 512}, fromFirst, requestBytes, openRecycledSingle(hInline)},
		{"chan-down", "as stream-down; channels",
			oneCaller, fromFirst, messageBytes, openChanDown},
		{"chan-up", "as stream-up; channels",
			oneCaller, fromFirst, messageBytes, openChanUp},
		{"chan-pingpong", "as stream-pingpong; channels",
			oneCaller, fromFirst, requestBytes, openChanPingPong},
		{"chan10-both", "as stream10-both; channels",
			manyShort, fromFirst, twentyBytes, openShort(shortChanBoth)},
	}
}

// Named returns one of All.
func Named(name string) (Scenario, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	return Scenario{}, fmt.Errorf("no scenario %q", name)
}

// Everywhere reports whether there are callers on every node, and not on one.
func (s Scenario) Everywhere() bool { return s.from == fromAll }

// runsOn reports whether node i has callers.
func (s Scenario) runsOn(i int) bool { return s.from == fromAll || i == 0 }

func messageBytes(cfg Config, _ int) int       { return cfg.Size }
func requestBytes(cfg Config, _ int) int       { return 2 * cfg.Size }
func broadcastBytes(cfg Config, peers int) int { return 2 * cfg.Size * peers }
func tenBytes(cfg Config, _ int) int           { return tenMessages * cfg.Size }
func twentyBytes(cfg Config, _ int) int        { return 2 * tenMessages * cfg.Size }

// checkSize is how callers make sure that what they measure works.
func checkSize(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("%s of %d bytes, want %d", what, got, want)
	}
	return nil
}
