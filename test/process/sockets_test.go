//go:build linux

package process

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sockets counts the established TCP connections of a process.
func (p *peer) sockets(t *testing.T) int {
	t.Helper()
	established := establishedInodes(t)
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, link := range links {
		target, _ := os.Readlink(link)
		if inode, ok := strings.CutPrefix(target, "socket:["); ok && established[strings.TrimSuffix(inode, "]")] {
			n++
		}
	}
	return n
}

// establishedInodes are the sockets of all processes whose connection is up.
func establishedInodes(t *testing.T) map[string]bool {
	t.Helper()
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inodes := make(map[string]bool)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // slot, local, remote, state, ..., inode is the tenth
		if len(fields) > 9 && fields[3] == "01" {
			inodes[fields[9]] = true
		}
	}
	return inodes
}
