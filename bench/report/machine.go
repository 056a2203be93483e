// Package report is what the bench command prints and writes: the machine, the
// progress line, the table and the JSON file.
package report

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Machine is where a measurement was made, and of what.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Go         string `json:"go"`
	Version    string `json:"version,omitempty"`  // of the library, if it is a dependency of what runs
	Commit     string `json:"commit,omitempty"`   // of the library, if the build knows it
	Modified   bool   `json:"modified,omitempty"` // the tree differed from the commit
}

// ThisMachine describes the machine and the program.
func ThisMachine() Machine {
	m := Machine{
		CPU:        cmp.Or(cpuModel(), "unknown CPU"),
		Cores:      runtime.NumCPU(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		OS:         runtime.GOOS,
		Arch:       runtime.GOARCH,
		Go:         runtime.Version(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	if info.Main.Version != "(devel)" {
		m.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			m.Commit = s.Value
		case "vcs.modified":
			m.Modified = s.Value == "true"
		}
	}
	return m
}

// String is one line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, GOMAXPROCS %d", m.CPU, m.Cores, m.OS, m.Arch, m.Go, m.GOMAXPROCS)
}

// Revision is one line, or empty if the build does not know.
func (m Machine) Revision() string {
	if m.Commit == "" {
		return m.Version
	}
	commit := m.Commit[:min(12, len(m.Commit))]
	if m.Modified {
		return commit + ", modified"
	}
	return commit
}
