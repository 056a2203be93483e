package main

import (
	"go/parser"
	"go/token"
	"math"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each value that is to be replaced stands in its file, once, and what comes instead
// is Go: a change of the library cannot make the check measure the same twice.
func TestEveryKnobCanBeTurned(t *testing.T) {
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, k := range knobs {
		for _, o := range k.others {
			source, err := replaced(root, &k, o)
			if err != nil {
				t.Error(err)
				continue
			}
			if _, err := parser.ParseFile(token.NewFileSet(), k.file, source, 0); err != nil {
				t.Errorf("%s: %s: %v", k.name, o.name, err)
			}
			if name := fileName(k.name + "-" + o.name); names[name] || o.text == k.shipped {
				t.Errorf("%s: %s: the same as another", k.name, o.name)
			} else {
				names[name] = true
			}
		}
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	shipped := []micros{{"a": 10, "b": 4}, {"a": 100, "b": 40}, {"a": 1, "b": 4}}
	twice := []micros{{"a": 20, "b": 2}, {"a": 200, "b": 20}, {"a": 2, "b": 2}}
	r := ratios(shipped, twice)
	if r["a"] != 2 || r["b"] != 0.5 || math.Abs(r.together()-1) > 1e-9 {
		t.Errorf("%v, together %v", r, r.together())
	}
}
