//go:build linux

package process

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var flagDefaults = flag.Bool("process.defaults", false, "stop a process under the default timeouts, too")

// gridpeer is the binary that all tests run.
var gridpeer string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "gridpeer")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gridpeer = filepath.Join(dir, "gridpeer")
	build := exec.Command("go", "build", "-o", gridpeer, "github.com/actorgrid/actorgrid/test/cmd/gridpeer")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build of gridpeer:", err)
		os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}
