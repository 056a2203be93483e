package report

import (
	"encoding/json"
	"io"

	"github.com/actorgrid/actorgrid/bench/scenario"
)

// Schema is the version of the JSON file. It grows with any change that is not an
// additional field.
const Schema = 1

type file struct {
	Schema      int          `json:"schema"`
	Machine     Machine      `json:"machine"`
	Grid        fileGrid     `json:"grid"`
	Interrupted bool         `json:"interrupted"`
	Results     []fileResult `json:"results"`
}

type fileGrid struct {
	Nodes     int     `json:"nodes"`
	Processes bool    `json:"processes"`
	TLS       bool    `json:"tls"`
	Pairs     int     `json:"pairs"` // connected
	AllPairs  int     `json:"all_pairs"`
	Size      int     `json:"size"`
	Window    int     `json:"window"`
	Seconds   float64 `json:"seconds"` // of each measurement, as asked for
}

type fileResult struct {
	Scenario    string  `json:"scenario"`
	Callers     int     `json:"callers"`
	AllCallers  int     `json:"all_callers"`
	Ops         uint64  `json:"ops"`
	Seconds     float64 `json:"seconds"`
	OpsPerSec   float64 `json:"ops_per_s"`
	MicrosPerOp float64 `json:"us_per_op"`
	P50         float64 `json:"p50_us"`
	P99         float64 `json:"p99_us"`
	P999        float64 `json:"p999_us"`
	Max         float64 `json:"max_us"`
	MBPerSec    float64 `json:"mb_per_s"`
	AllocsPerOp float64 `json:"allocs_per_op"`
	Goroutines  int     `json:"goroutines"`
	Errors      uint64  `json:"errors"`
	Err         string  `json:"error,omitempty"`
	Interrupted bool    `json:"interrupted,omitempty"`
}

// WriteJSON writes everything that the header and the table show, and more digits.
func WriteJSON(w io.Writer, m Machine, s Setup, results []scenario.Result, interrupted bool) error {
	f := file{Schema: Schema, Machine: m, Interrupted: interrupted, Results: []fileResult{}}
	f.Grid = fileGrid{
		Nodes:     s.Config.Nodes,
		Processes: s.Config.Processes,
		TLS:       s.Config.TLS,
		Pairs:     s.Topology.Pairs(),
		AllPairs:  s.Topology.AllPairs(),
		Size:      s.Config.Size,
		Window:    s.Config.Window,
		Seconds:   s.Duration.Seconds(),
	}
	for _, r := range results {
		f.Results = append(f.Results, fileResult{
			Scenario:    r.Scenario,
			Callers:     r.Callers,
			AllCallers:  r.AllCallers,
			Ops:         r.Ops,
			Seconds:     r.Seconds,
			OpsPerSec:   r.OpsPerSecond(),
			MicrosPerOp: r.MicrosPerOp(),
			P50:         float64(r.P50) / 1e3,
			P99:         float64(r.P99) / 1e3,
			P999:        float64(r.P999) / 1e3,
			Max:         float64(r.Max) / 1e3,
			MBPerSec:    r.MegabytesPerSecond(),
			AllocsPerOp: r.AllocsPerOp(),
			Goroutines:  r.Goroutines,
			Errors:      r.Errors,
			Err:         r.Err,
			Interrupted: r.Interrupted,
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(f)
}
