// Command bench measures actorgrid: it starts real nodes, connects all pairs over
// loopback TCP, runs every kind of call and stream, and prints one table.
//
//	go run ./bench                      # 8 nodes in one process, half a minute
//	go run ./bench -nodes 32 -scenario all-to-all -callers 16,64
//	go run ./bench -procs -tls          # a process for each node, encrypted links
//	go run ./bench -list                # the scenarios
//
// The header names the commit if the build knows it, as that of
// go run -buildvcs=true ./bench does. The scenarios are also Go benchmarks:
//
//	go test -run '^$' -bench . ./bench
//
// The exit code is 0 if all went well, 1 if a call failed or the grid did not come
// up, 2 for wrong flags, and 130 after a Ctrl-C, which ends the run early and prints
// what was measured so far; a second one ends it at once. (go run itself turns any
// other code than 0 into 1, and prints it.)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/actorgrid/actorgrid/bench/report"
	"github.com/actorgrid/actorgrid/bench/scenario"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	if os.Getenv(scenario.ChildEnv) != "" {
		os.Exit(scenario.ChildMain())
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage(stdout)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "bench: %v\nbench -h lists the flags\n", err)
		return exitUsage
	case o.list:
		list(stdout)
		return 0
	}
	out, err := o.openOutputs()
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal kills
	failed := measure(ctx, o, out, stdout, stderr)
	if err := errors.Join(failed, out.close()); err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "bench: interrupted")
		return exitInterrupted
	}
	return 0
}

// measure starts the grid, runs what was asked for and prints it.
func measure(ctx context.Context, o *options, out *outputs, stdout, stderr io.Writer) (err error) {
	cases := o.cases()
	progress := report.NewProgress(stderr, len(cases), o.each())
	cfg := o.config
	cfg.Progress = progress.Connected
	grid, err := scenario.Start(ctx, cfg)
	if err != nil {
		return fmt.Errorf("-nodes %d: %w", cfg.Nodes, err)
	}
	defer func() { err = errors.Join(err, grid.Close()) }()
	setup := report.Setup{Config: grid.Config(), Topology: grid.Topology(), Duration: o.duration}
	warnPartial(stderr, setup.Topology)
	if err := out.startProfiles(); err != nil {
		return err
	}
	results, failed := runCases(ctx, cases, progress, func(c benchCase) (scenario.Result, error) {
		return scenario.Run(ctx, grid, c.scenario, c.callers, o.duration)
	})
	progress.Close()
	err = out.stopProfiles()
	machine := report.ThisMachine()
	report.WriteHeader(stdout, machine, setup)
	fmt.Fprintln(stdout)
	report.WriteTable(stdout, results)
	fmt.Fprintln(stdout)
	report.WriteLegend(stdout, results)
	report.WriteProblems(stderr, results)
	return errors.Join(failed, err, out.writeJSON(machine, setup, results, ctx.Err() != nil))
}

// runCases runs one case after the other until ctx ends or the grid breaks. Cases in
// which calls failed are among the results, and make an error.
func runCases(ctx context.Context, cases []benchCase, progress *report.Progress, run func(benchCase) (scenario.Result, error)) ([]scenario.Result, error) {
	var results []scenario.Result
	var failed error
	for _, c := range cases {
		if ctx.Err() != nil {
			break
		}
		progress.Begin(c.scenario.Name, c.callers)
		r, err := run(c)
		if err != nil {
			return results, errors.Join(failed, err)
		}
		if r.Ops == 0 && r.Errors == 0 {
			continue // interrupted before it began
		}
		if r.Errors > 0 {
			failed = errors.New("calls failed")
		}
		progress.End(r)
		results = append(results, r)
	}
	return results, failed
}

func warnPartial(w io.Writer, t scenario.Topology) {
	if t.Pairs() < t.AllPairs() {
		fmt.Fprintf(w, "\nbench: the limit of open files allows connections for %d of %d pairs, %d peers for each node;\nbench: a higher ulimit -n, or -procs, connects all\n",
			t.Pairs(), t.AllPairs(), t.Degree())
	}
}
