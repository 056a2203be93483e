package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const module = "github.com/actorgrid/actorgrid"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pkg is what `go list` tells of one package of the module.
type pkg struct {
	Dir          string
	ImportPath   string
	Name         string
	Doc          string
	GoFiles      []string
	CgoFiles     []string
	IgnoredFiles []string `json:"IgnoredGoFiles"` // of other platforms
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
}

// path is the import path within the module.
func (p *pkg) path() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// library reports whether users may link the package: not a command, nor one that
// only measures and tests.
func (p *pkg) library() bool {
	return p.Name != "main" && !within(p.path(), "bench") && !within(p.path(), "test")
}

// files returns the paths of the production files, those of other platforms too.
func (p *pkg) files() []string {
	var paths []string
	for _, name := range append(append([]string{}, p.GoFiles...), p.IgnoredFiles...) {
		if !strings.HasSuffix(name, "_test.go") {
			paths = append(paths, filepath.Join(p.Dir, name))
		}
	}
	return paths
}

// tests returns the paths of the test files.
func (p *pkg) tests() []string {
	var paths []string
	for _, name := range append(append([]string{}, p.TestGoFiles...), p.XTestGoFiles...) {
		paths = append(paths, filepath.Join(p.Dir, name))
	}
	return paths
}

// within reports whether path is root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// list asks the go command once for all packages.
var list = sync.OnceValues(func() ([]*pkg, error) {
	cmd := exec.Command("go", "list", "-json", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		err := dec.Decode(p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []*pkg {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal("go list:", err)
	}
	if len(all) < 8 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

// root is the top of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
