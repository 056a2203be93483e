package main

// A knob is a value that was chosen by a benchmark.
type knob struct {
	name    string
	file    string // from the root of the repository
	shipped string // the text in the file, which occurs there once
	others  []other
}

// other is a value that lost.
type other struct {
	name string
	text string // instead of knob.shipped
}

const (
	poll       = "gridnode/internal/wsnet/poll.go"
	pause      = "gridnode/internal/wsnet/pause_linux.go"
	engine     = "gridnode/internal/wsnet/engine.go"
	sessionOut = "gridnode/session_out.go"
)

var knobs = []knob{
	{"yields after a read", poll, "const yields = 2", []other{
		{"0", "const yields = 0"},
		{"1", "const yields = 1"},
		{"3", "const yields = 3"},
	}},
	{"wait for events", poll, "c.poller.pause.wait(c)", []other{
		{"as nbio does", ""},
	}},
	{"read again without an event", pause, "again := c.id() == p.last", []other{
		{"never", "again := false"},
		{"always", "again := true"},
	}},
	{"pollers", engine, "runtime.GOMAXPROCS(0)", []other{
		{"1", "min(1, runtime.GOMAXPROCS(0))"},
	}},
	{"yield before a flush", sessionOut, "case flushSoon:", []other{
		{"never", "case flushSoon + 1:"},
	}},
	{"batches of one flusher", sessionOut, "flushRounds = 4", []other{
		{"1", "flushRounds = 1"},
		{"64", "flushRounds = 64"},
	}},
}

// shapes are the arguments of the benchmark, a run for each.
var shapes = [][]string{
	{"-nodes", "2", "-scenario", "^single$", "-callers", "1,2,16,64,512"},
	{"-nodes", "2", "-scenario", "^stream-(down|pingpong)$"},
	{"-nodes", "8", "-scenario", "^all-to-all$", "-callers", "1,8"},
	{"-nodes", "32", "-scenario", "^broadcast$", "-callers", "1"},
}
