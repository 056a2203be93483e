package gridnode_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repositoryTests returns the names of all tests and fuzz targets of the repository.
func repositoryTests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(b), -1) {
			names[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDesignNamesATestForEveryPromise(t *testing.T) {
	known := repositoryTests(t)
	_, table, _ := strings.Cut(read(t, "DESIGN.md"), "| Promise | Test |")
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	promises := 0
	for _, row := range strings.Split(table, "\n") {
		if !regexp.MustCompile(`^\| \d+\. `).MatchString(row) {
			continue
		}
		promises++
		tests := named.FindAllStringSubmatch(row, -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", row)
		}
		for _, test := range tests {
			if !known[test[1]] {
				t.Errorf("%s does not exist: %s", test[1], row)
			}
		}
	}
	if promises != 12 {
		t.Errorf("%d promises in the table, want 12", promises)
	}
}
