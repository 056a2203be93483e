package gridnode

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// A state is told by its name, wherever it is printed, and any value of its type is.
func TestAStateIsPrintedByItsName(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "stats", ConnectionStats{State: StateClosed}, "state", StateConnected)
	for _, want := range []string{`"State":"closed"`, `"state":"connected"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	if got := State(9).String(); got != "State(9)" {
		t.Error(got)
	}
	for s := range StateClosed + 1 {
		want := ConnectionStats{State: s}
		var got ConnectionStats
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s came back as %v, %v", text, got.State, err)
		}
	}
	var s State
	if err := s.UnmarshalText([]byte("State(9)")); err == nil {
		t.Error("a state that there is not was read")
	}
}
