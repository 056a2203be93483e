package test

import (
	"context"
	"io"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// open opens a stream, or fails the test.
func open(t testing.TB, to gridnode.Target, id gridnode.HandlerID, payload []byte) *gridnode.MuxClient {
	t.Helper()
	st, err := to.OpenMux(t.Context(), id, payload)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// openChannels opens the channel form of a stream, or fails the test.
func openChannels(t testing.TB, ctx context.Context, to gridnode.Target, id gridnode.HandlerID, payload []byte) *gridnode.Stream {
	t.Helper()
	st, err := to.NewStream(ctx, id, payload)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// wantNumbers reads a stream to its clean end and checks that it brought 0 to n-1.
func wantNumbers(t testing.TB, st *gridnode.MuxClient, n int) {
	t.Helper()
	for i := range n {
		msg, err := st.Recv(t.Context())
		if err != nil || !isNumber(msg, i) {
			t.Fatalf("message %d of %d: %v, %v", i, n, msg, err)
		}
	}
	if msg, err := st.Recv(t.Context()); err != io.EOF {
		t.Fatalf("after %d messages: %v, %v, want io.EOF", n, msg, err)
	}
}

// wantResults is wantNumbers for the channel form.
//
//lint:ignore U1000 for the tests of loads
func wantResults(t testing.TB, st *gridnode.Stream, n int) {
	t.Helper()
	got := 0
	err := st.Results(func(msg []byte) error {
		if !isNumber(msg, got) {
			t.Errorf("message %d of %d: %v", got, n, msg)
		}
		got++
		return nil
	})
	if err != nil || got != n {
		t.Errorf("%d messages of %d, %v", got, n, err)
	}
}

// wantMuxEcho sends n messages to an echoing stream, one after the other.
func wantMuxEcho(t testing.TB, to gridnode.Target, id gridnode.HandlerID, n int) {
	t.Helper()
	st := open(t, to, id, nil)
	for i := range n {
		if err := st.Send(t.Context(), numbered(i)); err != nil {
			t.Fatalf("send %d: %v", i, err)
		}
		if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, i) {
			t.Fatalf("receive %d: %v, %v", i, msg, err)
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Error(err)
	}
	if msg, err := st.Recv(t.Context()); err != io.EOF {
		t.Errorf("after CloseSend: %v, %v, want io.EOF", msg, err)
	}
}
