package arch

import (
	"go/ast"
	"maps"
	"strings"
	"testing"
)

// goBudget is how many `go` statements each package of the library may have. A new one
// needs a reason that is better than its cost.
var goBudget = map[string]int{
	"actor":                   2, // workers, and actors of their own
	"gridnode":                6, // dialling, the channel forms, fan-out, what Close waits for
	"gridnode/internal/wsnet": 3, // the transport that is not on the poller
}

// Every goroutine has an owner and an end, and a comment that says which: on the line
// that starts it, right above, or in the comment of the function. Timers need none:
// their functions are short.
func TestEveryGoroutineIsDocumented(t *testing.T) {
	counts := map[string]int{}
	for _, s := range sources(t) {
		if !s.pkg.library() {
			continue
		}
		commented := commentedLines(s)
		for _, d := range s.file.Decls {
			documented := false
			if f, ok := d.(*ast.FuncDecl); ok {
				documented = strings.Contains(f.Doc.Text(), "goroutine")
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if !starts(n) {
					return true
				}
				if _, ok := n.(*ast.GoStmt); ok {
					counts[s.pkg.path()]++
				}
				if line := s.line(n.Pos()); !documented && !commented[line] && !commented[line-1] {
					t.Errorf("%s:%d: a goroutine without a comment that says what ends it", s.name, line)
				}
				return true
			})
		}
	}
	if !maps.Equal(counts, goBudget) {
		t.Errorf("go statements: %v, agreed were %v", counts, goBudget)
	}
}

// starts reports whether a node starts a goroutine: `go`, and the Go of a group.
func starts(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "Go"
	}
	return false
}

// commentedLines are the lines on which a comment stands.
func commentedLines(s *source) map[int]bool {
	lines := map[int]bool{}
	for _, group := range s.file.Comments {
		for line := s.line(group.Pos()); line <= s.line(group.End()); line++ {
			lines[line] = true
		}
	}
	return lines
}
