package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/mailbox"
)

// FuzzMailbox runs a program of operations, one byte each after one for the capacity,
// against a Mailbox and against model. Calls that wait run in goroutines; between two
// operations all of them come to rest, so the outcome of each is determined.
func FuzzMailbox(f *testing.F) {
	f.Add([]byte{2, opTryPut, opTryPut, opTryPut, opTryGet, opGet, opTryGet})
	f.Add([]byte{1, opPut, opPut, opPut, opGet, opCancel, opTryGet, opClose, opGet, opGet})
	f.Add([]byte{3, opGet, opGet, opTryPut, opCancel, opPoison, opDrain, opClose})
	f.Add([]byte{2, opPutDropOldest, opPutDropOldest, opPutDropOldest, opClose, opPoison, opTryGet})
	f.Add([]byte{0, opPut, opGet, opTryPut, opPutDropOldest, opCancel, opClose})
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) < 2 || len(program) > 200 {
			return
		}
		synctest.Test(t, func(t *testing.T) { runProgram(t, int(program[0]%8), program[1:]) })
	})
}

const (
	opTryPut = iota
	opPut
	opPutDropOldest
	opTryGet
	opGet
	opCancel // the context of one that waits
	opClose
	opPoison
	opDrain // of an ended mailbox: in an open one the order of those it wakes is open
	opCount
)

var errCancel = errors.New("cancelled")

// call is a Put or Get, in the program and in the model.
type call struct {
	what   string
	m      int // put, or got
	err    error
	done   bool
	cancel context.CancelCauseFunc
}

func runProgram(t *testing.T, capacity int, program []byte) {
	b, m := mailbox.New[int](capacity), &model{capacity: capacity}
	var real, expected []*call // by age
	next := 1
	for step, code := range program {
		op, arg := code%opCount, int(code/opCount)
		var got, want string
		switch op {
		case opTryPut:
			got, want = fmt.Sprint(b.TryPut(next)), fmt.Sprint(m.tryPut(next))
		case opPutDropOldest:
			dropped, err := b.PutDropOldest(next)
			wantDropped, wantErr := m.putDropOldest(next)
			got, want = fmt.Sprint(dropped, err), fmt.Sprint(wantDropped, wantErr)
		case opTryGet:
			v, ok, err := b.TryGet()
			wantV, wantOK, wantErr := m.tryGet()
			got, want = fmt.Sprint(v, ok, err), fmt.Sprint(wantV, wantOK, wantErr)
		case opPut, opGet:
			real, expected = append(real, start(b, op, next)), append(expected, m.start(op, next))
		case opCancel:
			if i := m.oneThatWaits(arg, expected); i >= 0 {
				real[i].cancel(errCancel)
				m.cancel(expected[i])
			}
		case opClose:
			b.Close(nil)
			m.end(closedState, io.EOF)
		case opPoison:
			cause := fmt.Errorf("poison %d", step)
			b.Poison(cause)
			m.end(poisonedState, cause)
		case opDrain:
			if m.state != openState {
				got, want = drained(b), fmt.Sprint(m.drain())
			}
		}
		next++
		synctest.Wait()
		if got != want {
			t.Fatalf("step %d, op %d: got %s, want %s", step, op, got, want)
		}
		compare(t, step, b, m, real, expected)
	}
	b.Poison(nil) // whoever still waits leaves the bubble
}

func drained(b *mailbox.Mailbox[int]) string {
	var left []int
	b.Drain(func(v int) { left = append(left, v) })
	return fmt.Sprint(left)
}

// start starts a Put or Get that may wait.
func start(b *mailbox.Mailbox[int], op byte, v int) *call {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := &call{cancel: cancel}
	go func() {
		if op == opPut {
			c.err = b.Put(ctx, v)
		} else {
			c.m, c.err = b.Get(ctx)
		}
		c.done = true
	}()
	synctest.Wait()
	return c
}

func compare(t *testing.T, step int, b *mailbox.Mailbox[int], m *model, real, expected []*call) {
	t.Helper()
	for i, want := range expected {
		got := real[i]
		if got.done != want.done || got.err != want.err || want.what == "get" && got.m != want.m {
			t.Fatalf("step %d: %s %d: got %d, %v, done %t; want %d, %v, done %t",
				step, want.what, i, got.m, got.err, got.done, want.m, want.err, want.done)
		}
	}
	if b.Len() != len(m.queue) || b.Cause() != m.cause || isDone(b) != (m.state != openState) {
		t.Fatalf("step %d: Len %d, Cause %v, done %t; want %d, %v, %t",
			step, b.Len(), b.Cause(), isDone(b), len(m.queue), m.cause, m.state != openState)
	}
	if got := b.Stats(); got != m.stats {
		t.Fatalf("step %d: Stats %+v, want %+v", step, got, m.stats)
	}
	if got := b.Stats(); got.Puts != got.Gets+got.Dropped+uint64(b.Len()) {
		t.Fatalf("step %d: messages got lost: %+v, Len %d", step, got, b.Len())
	}
}
