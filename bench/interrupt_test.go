//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startCommand starts the command and returns when its first result is there.
func startCommand(t *testing.T, args ...string) (cmd *exec.Cmd, stdout *bytes.Buffer, stderr *bufio.Reader) {
	t.Helper()
	cmd = command(t, args...)
	stdout = new(bytes.Buffer)
	cmd.Stdout = stdout
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr = bufio.NewReader(pipe)
	for {
		line, err := stderr.ReadString('\n')
		if err != nil {
			t.Fatalf("the command ended before its first result: %v", err)
		}
		if strings.Contains(line, " 1/") {
			return cmd, stdout, stderr
		}
	}
}

// manyCallers makes a command that does not end by itself while a test looks on.
var manyCallers = strings.Repeat("1,", 999) + "2"

func TestInterruptPrintsWhatWasMeasured(t *testing.T) {
	for _, mode := range []string{"-procs=false", "-procs=true"} {
		cmd, stdout, stderr := startCommand(t, mode, "-nodes", "3", "-duration", "100ms", "-scenario", "single", "-callers", manyCallers)
		start := time.Now()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(stderr)
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
			t.Errorf("%s: %v, want exit code %d: %s", mode, err, exitInterrupted, rest)
		}
		if took := time.Since(start); took > 15*time.Second { // the rest of the run is two minutes
			t.Errorf("%s: the end took %v", mode, took)
		}
		wantTable(t, stdout.String(), "single")
	}
}

// The processes inherit the standard error of the command: it ends with the last of
// them.
func TestProcessesEndWithAKilledCommand(t *testing.T) {
	cmd, _, stderr := startCommand(t, "-procs", "-nodes", "3", "-duration", "200ms", "-scenario", "all-to-all", "-callers", manyCallers)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { // ends with the last process; the test waits, or fails
		_, err := io.Copy(io.Discard, stderr)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(closeLimit):
		t.Fatalf("there are processes %v after the command was killed", closeLimit)
	}
	cmd.Wait()
}

const closeLimit = 8 * time.Second
