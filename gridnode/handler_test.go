package gridnode

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

func answer(context.Context, []byte) ([]byte, error) { return nil, nil }

func serveNothing(context.Context, *MuxServer) error { return nil }

func streamNothing(context.Context, []byte, <-chan []byte, chan<- []byte) error { return nil }

// unstarted returns a node that is closed at the end of the test.
func unstarted(t *testing.T) *Manager {
	t.Helper()
	m, err := NewManager(Config{Local: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestADuplicateHandlerIsRefusedWhateverItsKind(t *testing.T) {
	m := unstarted(t)
	kinds := map[string]func(id HandlerID, route string) error{
		"single": func(id HandlerID, route string) error { return m.RegisterSingle(id, answer, route) },
		"mux": func(id HandlerID, route string) error {
			return m.RegisterMux(id, MuxHandler{Handle: serveNothing, Subroute: route})
		},
		"stream": func(id HandlerID, route string) error {
			return m.RegisterStream(id, StreamHandler{Handle: streamNothing, Subroute: route})
		},
	}
	id := HandlerID(0)
	for first, registerFirst := range kinds {
		for second, registerSecond := range kinds {
			id++
			if err := errors.Join(registerFirst(id, ""), registerFirst(id, "disk1"), registerFirst(id, "disk1/a")); err != nil {
				t.Errorf("%s: %v", first, err)
			}
			for _, route := range []string{"", "disk1"} {
				err := registerSecond(id, route)
				if !errors.Is(err, ErrHandlerExists) || !strings.Contains(err.Error(), "handler ") {
					t.Errorf("%s after %s, route %q: %v", second, first, route, err)
				}
			}
		}
	}
}

func TestBadHandlersAreRefusedWithAReason(t *testing.T) {
	m := unstarted(t)
	for _, c := range []struct {
		reason string
		err    error
	}{
		{"ID 0", m.RegisterSingle(0, answer)},
		{"ID 0", m.RegisterMux(0, MuxHandler{Handle: serveNothing})},
		{"ID 0", m.RegisterStream(0, StreamHandler{Handle: streamNothing})},
		{"no function", m.RegisterSingle(1, nil)},
		{"no function", m.RegisterMux(1, MuxHandler{})},
		{"no function", m.RegisterStream(1, StreamHandler{})},
		{"InCapacity: -1", m.RegisterMux(1, MuxHandler{Handle: serveNothing, InCapacity: -1})},
		{"InCapacity", m.RegisterMux(1, MuxHandler{Handle: serveNothing, InCapacity: maxStreamCapacity + 1})},
		{"OutCapacity", m.RegisterStream(1, StreamHandler{Handle: streamNothing, OutCapacity: maxStreamCapacity + 1})},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.reason) {
			t.Errorf("%v, want %q", c.err, c.reason)
		}
	}
	if err := m.RegisterSingle(1, answer); err != nil {
		t.Errorf("a refused handler took the ID: %v", err)
	}
}

func TestHandlersAreFixedFromStartOn(t *testing.T) {
	m := unstarted(t)
	if err := errors.Join(m.RegisterSingle(7, answer), m.Start()); err != nil {
		t.Fatal(err)
	}
	if err := m.RegisterSingle(8, answer); err == nil || !strings.Contains(err.Error(), "after Start") {
		t.Error(err)
	}
	if err := m.Start(); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Start(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestStartRefusesMoreHandlersThanAHelloHolds(t *testing.T) {
	m := unstarted(t)
	route := strings.Repeat("r", 1000)
	for id := HandlerID(1); id <= 64; id++ {
		if err := m.RegisterSingle(id, answer, route); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Start(); err == nil || !strings.Contains(err.Error(), "64 handlers") {
		t.Error(err)
	}
}

func TestHandlersAreAnnouncedInOrderWithTheirCapacities(t *testing.T) {
	m := unstarted(t)
	err := errors.Join(
		m.RegisterSingle(3, answer, "disk1", "a"),
		m.RegisterMux(1, MuxHandler{Handle: serveNothing, InCapacity: 5, OutCapacity: 6}),
		m.RegisterStream(2, StreamHandler{Handle: streamNothing, OutCapacity: -3, Subroute: "x"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []frames.HandlerInfo{
		{ID: 3, Kind: frames.KindSingle, Route: "disk1/a"},
		{ID: 1, Kind: frames.KindStream, In: 5, Out: 6},
		{ID: 2, Kind: frames.KindStream, Out: 1, Route: "x"},
	}
	got := m.handlers.fix()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d: %+v, want %+v", i, got[i], want[i])
		}
		if h := m.handlers.at(uint32(i)); h == nil || uint16(h.key.id) != want[i].ID {
			t.Errorf("entry %d is found as %+v", i, h)
		}
	}
	for _, index := range []uint32{3, 1 << 31, 1<<32 - 1} {
		if h := m.handlers.at(index); h != nil {
			t.Errorf("index %d is %+v", index, h)
		}
	}
}
