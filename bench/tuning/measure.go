package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// micros are the microseconds per operation of one round, by what was measured.
type micros map[string]float64

// measure runs all shapes once.
func measure(ctx context.Context, v variant, duration time.Duration) (micros, error) {
	out := make(micros)
	for _, shape := range shapes {
		file := filepath.Join(filepath.Dir(v.binary), "result.json")
		args := append([]string{"-duration", duration.String(), "-json", file}, shape...)
		cmd := exec.CommandContext(ctx, v.binary, args...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", v.name, err, text)
		}
		if err := out.add(file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// add reads a result file of the benchmark.
func (m micros) add(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var results struct {
		Results []struct {
			Scenario string  `json:"scenario"`
			Callers  int     `json:"callers"`
			Micros   float64 `json:"us_per_op"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &results); err != nil {
		return err
	}
	for _, r := range results.Results {
		m[fmt.Sprintf("%s/%d", r.Scenario, r.Callers)] = r.Micros
	}
	return nil
}

// ratios are the medians of what a variant takes, over what the shipped values took in
// the same round.
func ratios(shipped, other []micros) micros {
	out := make(micros)
	for _, what := range slices.Sorted(maps.Keys(shipped[0])) {
		var all []float64
		for round := range shipped {
			all = append(all, other[round][what]/shipped[round][what])
		}
		slices.Sort(all)
		out[what] = all[len(all)/2]
	}
	return out
}

// together is the geometric mean.
func (m micros) together() float64 {
	sum := 0.0
	for _, v := range m {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(m)))
}
