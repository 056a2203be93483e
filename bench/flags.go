package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// The limits of -duration.
const (
	minDuration = 10 * time.Millisecond
	maxDuration = time.Hour
)

// options is the command line, checked.
type options struct {
	config    scenario.Config
	callers   callerCounts // empty: each scenario's own
	duration  time.Duration
	scenarios string
	selected  []scenario.Scenario
	list      bool

	jsonFile, cpuProfile, memProfile, traceFile string
}

// benchCase is one line of the table.
type benchCase struct {
	scenario scenario.Scenario
	callers  int
}

// flagSet binds the flags; the values in o are the defaults.
func (o *options) flagSet() *flag.FlagSet {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.IntVar(&o.config.Nodes, "nodes", 8, "`number` of nodes, 2 to 512")
	f.IntVar(&o.config.Size, "size", 512, "`bytes` of each request, response and message, 0 to 16777216")
	f.Var(&o.callers, "callers", "comma-separated `counts` of callers for all scenarios (default: their own, see -list)")
	f.DurationVar(&o.duration, "duration", 600*time.Millisecond, "`time` of each measurement")
	f.StringVar(&o.scenarios, "scenario", "", "comma-separated `names` or regular expressions (default: all scenarios)")
	f.BoolVar(&o.list, "list", false, "list the scenarios and exit")
	f.BoolVar(&o.config.TLS, "tls", false, "encrypted links")
	f.BoolVar(&o.config.Processes, "procs", false, "each node in a process of its own")
	f.StringVar(&o.jsonFile, "json", "", "also write the results to this `file`")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of this process to this `file`")
	f.StringVar(&o.memProfile, "memprofile", "", "write a profile of all allocations of this process to this `file`")
	f.StringVar(&o.traceFile, "trace", "", "write an execution trace of this process to this `file`")
	return f
}

// parse checks the command line. An error names the flag.
func parse(args []string) (*options, error) {
	o := &options{}
	f := o.flagSet()
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag", f.Arg(0))
	}
	if n := o.config.Nodes; n < scenario.MinNodes || n > scenario.MaxNodes {
		return nil, fmt.Errorf("-nodes %d: not within %d and %d", n, scenario.MinNodes, scenario.MaxNodes)
	}
	if n := o.config.Size; n < 0 || n > scenario.MaxSize {
		return nil, fmt.Errorf("-size %d: not within 0 and %d", n, scenario.MaxSize)
	}
	if o.duration < minDuration || o.duration > maxDuration {
		return nil, fmt.Errorf("-duration %v: not within %v and %v", o.duration, minDuration, maxDuration)
	}
	var err error
	if o.selected, err = selectScenarios(o.scenarios); err != nil {
		return nil, fmt.Errorf("-scenario %q: %w", o.scenarios, err)
	}
	return o, nil
}

// selectScenarios returns those that a name is equal to or an expression matches, in
// the order of All.
func selectScenarios(list string) ([]scenario.Scenario, error) {
	all := scenario.All()
	if list == "" {
		return all, nil
	}
	chosen := map[string]bool{}
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if _, err := scenario.Named(item); err == nil {
			chosen[item] = true
			continue
		}
		re, err := regexp.Compile(item)
		if err != nil || item == "" {
			return nil, fmt.Errorf("%q is neither a name nor a regular expression", item)
		}
		found := false
		for _, s := range all {
			if re.MatchString(s.Name) {
				chosen[s.Name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q matches no scenario; -list shows them", item)
		}
	}
	return slices.DeleteFunc(all, func(s scenario.Scenario) bool { return !chosen[s.Name] }), nil
}

// cases lists the lines of the table.
func (o *options) cases() []benchCase {
	var cases []benchCase
	for _, s := range o.selected {
		counts := s.Callers
		if len(o.callers) > 0 {
			counts = o.callers
		}
		for _, n := range counts {
			cases = append(cases, benchCase{s, n})
		}
	}
	return cases
}

// each is about how long one case takes.
func (o *options) each() time.Duration { return o.duration + o.duration/5 + 20*time.Millisecond }

// callerCounts is a flag of comma-separated numbers.
type callerCounts []int

func (c *callerCounts) String() string { return strings.Trim(fmt.Sprint(*c), "[]") }

// Set replaces the counts.
func (c *callerCounts) Set(s string) error {
	*c = nil
	for _, item := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || n < 1 || n > scenario.MaxCallers {
			return fmt.Errorf("%q is not a number within 1 and %d", item, scenario.MaxCallers)
		}
		*c = append(*c, n)
	}
	return nil
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "bench measures actorgrid: real nodes, every kind of call and stream, one table.")
	fmt.Fprintln(w)
	f := (&options{}).flagSet()
	f.SetOutput(w)
	f.PrintDefaults()
}

func list(w io.Writer) {
	for _, s := range scenario.All() {
		counts := callerCounts(s.Callers)
		fmt.Fprintf(w, "%-16s  callers %-14s  %s\n", s.Name, counts.String(), s.About)
	}
}
