package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/actorgrid/actorgrid/bench/report"
	"github.com/actorgrid/actorgrid/bench/scenario"
)

// outputs are the files that the flags ask for; nil where they do not. They are
// created before anything is measured, so that a wrong path is known at once.
type outputs struct {
	json, cpu, mem, trace *os.File
}

func (o *options) openOutputs() (*outputs, error) {
	out := &outputs{}
	for _, f := range []struct {
		flag, path string
		file       **os.File
	}{
		{"json", o.jsonFile, &out.json},
		{"cpuprofile", o.cpuProfile, &out.cpu},
		{"memprofile", o.memProfile, &out.mem},
		{"trace", o.traceFile, &out.trace},
	} {
		if f.path == "" {
			continue
		}
		file, err := os.Create(f.path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("-%s: %w", f.flag, err), out.close())
		}
		*f.file = file
	}
	return out, nil
}

// startProfiles begins when the grid is connected.
func (out *outputs) startProfiles() error {
	if out.mem != nil {
		runtime.MemProfileRate = 4096
	}
	if out.cpu != nil {
		if err := pprof.StartCPUProfile(out.cpu); err != nil {
			return fmt.Errorf("-cpuprofile: %w", err)
		}
	}
	if out.trace != nil {
		if err := trace.Start(out.trace); err != nil {
			return fmt.Errorf("-trace: %w", err)
		}
	}
	return nil
}

func (out *outputs) stopProfiles() error {
	if out.cpu != nil {
		pprof.StopCPUProfile()
	}
	if out.trace != nil {
		trace.Stop()
	}
	if out.mem == nil {
		return nil
	}
	runtime.GC() // the profile is of the last collection
	if err := pprof.Lookup("allocs").WriteTo(out.mem, 0); err != nil {
		return fmt.Errorf("-memprofile: %w", err)
	}
	return nil
}

func (out *outputs) writeJSON(m report.Machine, s report.Setup, results []scenario.Result, interrupted bool) error {
	if out.json == nil {
		return nil
	}
	if err := report.WriteJSON(out.json, m, s, results, interrupted); err != nil {
		return fmt.Errorf("-json: %w", err)
	}
	return nil
}

func (out *outputs) close() error {
	var errs []error
	for _, f := range []*os.File{out.json, out.cpu, out.mem, out.trace} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
