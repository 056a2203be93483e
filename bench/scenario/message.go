package scenario

import "time"

// The parent and its processes talk in lines of JSON: commands to their standard
// input, a reply to each, but for begin, from their standard output. The end of its
// input is the end of a process.

// command is what the parent wants.
type command struct {
	Do       action        `json:"do"`
	Setup    *setup        `json:"setup,omitempty"`
	Names    []string      `json:"names,omitempty"` // of all nodes; doConnect
	Scenario string        `json:"scenario,omitempty"`
	Callers  int           `json:"callers,omitempty"`
	Time     time.Duration `json:"time,omitempty"`
}

type action string

const (
	doSetup   action = "setup"   // listen; the reply has the address
	doConnect action = "connect" // start the node; the reply comes when it is connected
	doOpen    action = "open"    // open the callers of a scenario
	doBegin   action = "begin"   // let them go; no reply
	doFinish  action = "finish"  // wait for them; the reply has the tally
)

// setup makes a process a node.
type setup struct {
	Index       int          `json:"index"`
	Config      Config       `json:"config"`
	Certificate *certificate `json:"certificate,omitempty"`
}

// reply is what a process answers.
type reply struct {
	Err   string `json:"err,omitempty"`
	Addr  string `json:"addr,omitempty"`
	Tally *tally `json:"tally,omitempty"`
}
