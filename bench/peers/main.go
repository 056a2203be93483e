package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/report"
	"github.com/actorgrid/actorgrid/bench/peers/result"
	"github.com/actorgrid/actorgrid/bench/peers/shape"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the command; it returns the exit code: 1 if a peer failed, 2 for wrong
// flags, 130 after Ctrl-C.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "peers:", err)
		return 2
	}
	if o.serve != "" {
		if err := shape.ServeChild(o.serve, o.caller, stdin, stdout); err != nil {
			fmt.Fprintln(stderr, "peers: server:", err)
			return 1
		}
		return 0
	}
	if o.list {
		for _, s := range o.shapes {
			fmt.Fprintf(stdout, "%-28s %s\n", s.Name, s.Title)
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process
	live := make([]byte, o.heap<<20)
	r := measureAll(ctx, o, stderr)
	runtime.KeepAlive(live)
	report.Text(stdout, r)
	if err := outputs(o, r); err != nil {
		fmt.Fprintln(stderr, "peers:", err)
		return 1
	}
	switch {
	case r.Conditions.Aborted:
		return 130
	case failed(r):
		return 1
	}
	return 0
}

// measureAll runs the shapes, until ctx ends.
func measureAll(ctx context.Context, o *options, progress io.Writer) *result.Run {
	r := &result.Run{Conditions: report.Conditions(o.peers)}
	r.Conditions.Rounds, r.Conditions.Cell, r.Conditions.LiveHeap = o.rounds, o.duration.String(), o.heap
	p := &printer{w: progress, began: time.Now(), shapes: len(o.shapes)}
	e := shape.Engine{Rounds: o.rounds, Duration: o.duration, Progress: p.step}
	for _, s := range o.shapes {
		if ctx.Err() != nil {
			break
		}
		p.at++
		r.Tables = append(r.Tables, e.Run(ctx, s))
	}
	r.Conditions.Aborted = ctx.Err() != nil
	r.Figures = result.Judge(r)
	return r
}

func outputs(o *options, r *result.Run) error {
	var errs []error
	if o.json != "" {
		errs = append(errs, report.JSON(o.json, r))
	}
	if o.plots != "" {
		errs = append(errs, report.Plots(o.plots, r.Tables))
	}
	return errors.Join(errs...)
}

func failed(r *result.Run) bool {
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			if row.Err != "" {
				return true
			}
		}
	}
	return false
}

// printer writes a line per measurement.
type printer struct {
	w          io.Writer
	began      time.Time
	at, shapes int
}

func (p *printer) step(s shape.Step) {
	head := fmt.Sprintf("%4.0fs  %2d/%d", time.Since(p.began).Seconds(), p.at, p.shapes)
	if s.Err != nil {
		fmt.Fprintf(p.w, "%s  %s  %s FAILED: %v\n", head, s.Shape, s.Entrant, s.Err)
		return
	}
	fmt.Fprintf(p.w, "%s  %s\n", head, report.Progress(s.Shape, s.Entrant, s.Round, s.Rounds, s.Last, s.Unit))
}
