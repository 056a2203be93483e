package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFile     = 500 // lines of a production file
	maxFunction = 60  // lines of a production function
)

// longFunctions are allowed to be longer, as far as the number says.
var longFunctions = map[string]int{}

// source is one parsed production file.
type source struct {
	pkg  *pkg
	name string // from the module's top
	fset *token.FileSet
	file *ast.File
}

func (s *source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// sources parses all production files.
func sources(t *testing.T) []*source {
	t.Helper()
	top := root(t)
	var all []*source
	for _, p := range packages(t) {
		for _, path := range p.files() {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(top, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, &source{pkg: p, name: filepath.ToSlash(name), fset: fset, file: file})
		}
	}
	return all
}

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	for _, s := range sources(t) {
		if ast.IsGenerated(s.file) {
			continue
		}
		if n := s.line(s.file.FileEnd); n > maxFile {
			t.Errorf("%s: %d lines, limit %d", s.name, n, maxFile)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			limit := max(maxFunction, longFunctions[s.name+":"+f.Name.Name])
			if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > limit {
				t.Errorf("%s:%d: %s: %d lines, limit %d", s.name, s.line(f.Pos()), f.Name.Name, n, limit)
			}
		}
	}
}

func TestEveryPackageHasADoc(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.path())
		}
	}
}

// Importing a package does nothing, and a library says nothing but to its Logger.
func TestLibrariesHaveNoInitAndPrintNothing(t *testing.T) {
	for _, s := range sources(t) {
		if !s.pkg.library() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s:%d: init function", s.name, s.line(n.Pos()))
				}
			case *ast.CallExpr:
				if name := callee(n); slices.Contains([]string{"fmt.Print", "fmt.Println", "fmt.Printf", "print", "println"}, name) || strings.HasPrefix(name, "log.") {
					t.Errorf("%s:%d: %s in a library", s.name, s.line(n.Pos()), name)
				}
			}
			return true
		})
	}
}

// callee is the called function as it is written, "pkg.Name" or "name".
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

// The list of the top level is part of the contract.
func TestTheTopLevelIsTheAgreedOne(t *testing.T) {
	want := []string{"LICENSE", "README.md", "actor", "bench", "frames", "go.mod", "go.sum", "gridnode", "mailbox", "test"}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("at the top level: %q, want %q", got, want)
	}
}

// Every package that has tests looks for goroutines that they leave.
func TestEveryTestPackageLooksForLeaks(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.tests()) == 0 {
			continue
		}
		found := slices.ContainsFunc(p.tests(), func(path string) bool {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(string(text), "goleak.VerifyTestMain")
		})
		if !found {
			t.Errorf("%s: no test file calls goleak.VerifyTestMain", p.path())
		}
	}
}
