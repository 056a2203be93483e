package report

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
	machine "github.com/actorgrid/actorgrid/bench/report"
)

// Conditions describes this machine and this program.
func Conditions(peers []*peer.Peer) result.Conditions {
	m := machine.ThisMachine()
	return result.Conditions{
		Date: time.Now().UTC().Format(time.RFC3339),
		CPU:  m.CPU, Cores: m.Cores, GOMAXPROCS: m.GOMAXPROCS, Go: m.Go,
		Kernel:   m.OS + " " + kernel(),
		Commit:   commit(),
		Command:  strings.Join(append([]string{"go run -C bench/peers ."}, os.Args[1:]...), " "),
		Versions: versions(peers),
	}
}

// kernel is the release, where the system says it in a file.
func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// commit asks the build, and git where the build does not know, as with go run.
func commit() string {
	if r := machine.ThisMachine().Revision(); r != "" {
		return r
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// versions are those of the modules that the peers are made of, as they were built.
func versions(peers []*peer.Peer) map[string]string {
	built := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			built[m.Path] = m.Version
			if m.Replace != nil {
				built[m.Path] = m.Replace.Path
			}
		}
	}
	found := make(map[string]string)
	for _, p := range peers {
		if v, ok := built[p.Module]; ok {
			found[p.Module] = v
		}
	}
	for _, also := range []string{"github.com/lesismal/nbio", "github.com/nats-io/nats.go"} {
		if v, ok := built[also]; ok {
			found[also] = v
		}
	}
	return found
}

func conditions(w io.Writer, c result.Conditions) {
	fmt.Fprintf(w, "%s, %d cores, %s, %s, GOMAXPROCS %d\n", c.CPU, c.Cores, c.Kernel, c.Go, c.GOMAXPROCS)
	fmt.Fprintf(w, "commit %s, %s\n%s\n", c.Commit, c.Date, c.Command)
	fmt.Fprintf(w, "loopback TCP, both ends in one process unless a shape says otherwise; %d rounds of %s in turns, medians\n", c.Rounds, c.Cell)
	if c.LiveHeap > 0 {
		fmt.Fprintf(w, "%d MiB of this process are alive besides\n", c.LiveHeap)
	}
	for _, path := range slices.Sorted(maps.Keys(c.Versions)) {
		fmt.Fprintf(w, "  %s %s\n", path, c.Versions[path])
	}
	if c.Aborted {
		fmt.Fprintln(w, "interrupted: what follows is not the whole run")
	}
}
