package arch

import (
	"slices"
	"strings"
	"testing"
)

// ours lists, for each package of the library, which packages of the module it may
// import; a package that is not here must be added, with a reason.
var ours = map[string][]string{
	"frames":                   {},
	"mailbox":                  {},
	"actor":                    {"mailbox"},
	"gridnode/internal/buffer": {},
	"gridnode/internal/wsnet":  {"gridnode/internal/buffer"},
	"gridnode":                 {"frames", "mailbox", "actor", "gridnode/internal/buffer", "gridnode/internal/wsnet"},

	// For tests of the grid and of its users.
	"gridnode/internal/memnet": {},
	"gridnode/gridtest":        {"gridnode", "gridnode/internal/memnet"},
}

// The lower a package stands, the less it knows of the one above.
func TestLibraryPackagesImportOnlyWhatStandsBelowThem(t *testing.T) {
	for _, p := range packages(t) {
		if !p.library() {
			continue
		}
		allowed, known := ours[p.path()]
		if !known {
			t.Errorf("%s: not in the table of packages", p.path())
		}
		for _, imported := range p.Imports {
			if path, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(allowed, path) {
				t.Errorf("%s must not import %s", p.path(), path)
			}
		}
	}
}

// What the ground floor must not know of the outside: bytes have no clock and no
// network, queues and actors no network.
var denied = map[string][]string{
	"frames":  {"net", "os", "time", "sync", "context"},
	"mailbox": {"net", "os"},
	"actor":   {"net", "os"},
}

func TestTheGroundFloorKnowsNoNetwork(t *testing.T) {
	for _, p := range packages(t) {
		for _, bad := range denied[p.path()] {
			if slices.Contains(p.Imports, bad) {
				t.Errorf("%s must not import %s", p.path(), bad)
			}
		}
	}
}

// One package knows the event loop and RFC 6455.
func TestOnlyWsnetKnowsTheEventLoopAndWebSocket(t *testing.T) {
	for _, p := range packages(t) {
		if p.path() == "gridnode/internal/wsnet" {
			continue
		}
		for _, imported := range p.Imports {
			if within(imported, "github.com/lesismal/nbio") || within(imported, "github.com/gobwas/ws") {
				t.Errorf("%s must not import %s", p.path(), imported)
			}
		}
	}
}

// Whoever embeds a node must not link what is for tests: gridtest and memnet are, and
// so is everything that imports testing.
func TestTestCodeIsNotLinkedIntoProduction(t *testing.T) {
	forTests := []string{"testing", "net/http/httptest", "go.uber.org/goleak", module + "/gridnode/gridtest", module + "/gridnode/internal/memnet"}
	for _, p := range packages(t) {
		if within(p.path(), "gridnode/gridtest") || p.path() == "gridnode/internal/memnet" {
			continue
		}
		for _, imported := range p.Imports {
			if slices.Contains(forTests, imported) || strings.HasPrefix(imported, "testing/") {
				t.Errorf("%s must not import %s", p.path(), imported)
			}
		}
	}
}
