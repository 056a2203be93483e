package gridnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

func data(mux uint64, text string) frames.Frame {
	return frames.Frame{Op: frames.OpData, Mux: mux, Payload: []byte(text)}
}

// opened returns the calling end of a stream on a fake wire, with room for in
// messages to come; its mux ID is 2.
func openedMux(t *testing.T, in int) (*MuxClient, *session, *fakeWire) {
	t.Helper()
	s, w := live(t, Config{}, nil)
	st, err := s.openMux(t.Context(), remoteHandler{in: 2, out: in}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f := w.wait(t, frames.OpOpen, st.id); f.Credit != uint64(in) {
		t.Fatalf("%+v", f)
	}
	return st, s, w
}

// drainMux reads a stream to its end.
func drainMux(t *testing.T, recv func(context.Context) ([]byte, error)) (got string, err error) {
	t.Helper()
	for {
		msg, err := recv(t.Context())
		if err != nil {
			return got, err
		}
		got += string(msg)
	}
}

// Promise 2: only an explicit final status ends a stream cleanly, and what was sent
// before the end arrives before it, whatever the end is.
func TestTruncationIsNeverSuccess(t *testing.T) {
	reset := errors.New("connection reset")
	for _, c := range []struct {
		name string
		end  func(st *MuxClient, s *session) error
		want error
	}{
		{"clean", func(st *MuxClient, s *session) error {
			return arrive(s, frames.Frame{Op: frames.OpStatus, Mux: st.id})
		}, io.EOF},
		{"handler's error", func(st *MuxClient, s *session) error {
			return arrive(s, frames.Frame{Op: frames.OpStatus, Mux: st.id, Code: CodeOverloaded, Text: []byte("enough")})
		}, ErrOverloaded},
		{"lost", func(st *MuxClient, s *session) error {
			s.Closed(reset)
			return nil
		}, ErrDisconnected},
		{"lost without an error", func(st *MuxClient, s *session) error {
			s.Closed(nil)
			return nil
		}, ErrDisconnected},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, s, _ := openedMux(t, 4)
			receive(t, s, data(st.id, "a"), data(st.id, "b"), data(st.id, "c"))
			if err := c.end(st, s); err != nil {
				t.Fatal(err)
			}
			got, err := drainMux(t, st.Recv)
			if got != "abc" || !errors.Is(err, c.want) {
				t.Errorf("read %q, then %v; want abc, then %v", got, err, c.want)
			}
			if _, again := st.Recv(t.Context()); again != err {
				t.Errorf("the second time: %v", again)
			}
			if err := st.Send(t.Context(), nil); !errors.Is(err, c.want) {
				t.Errorf("Send: %v", err)
			}
			if s.held.Load() != 0 {
				t.Errorf("%d bytes are still counted as held", s.held.Load())
			}
		})
	}
}

// lateCancel is a context that has ended, and whose stream ends when somebody asks why.
type lateCancel struct {
	context.Context
	st *MuxClient
}

func (c lateCancel) Err() error {
	c.st.Cancel(io.ErrClosedPipe)
	return c.Context.Err()
}

// Promise 2: the cause of a context is never the end of a stream, io.EOF least of all.
func TestACauseOfEOFIsNoCleanEnd(t *testing.T) {
	st, _, _ := openedMux(t, 4)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.EOF)
	if _, err := st.Recv(ctx); err == io.EOF || !errors.Is(err, context.Canceled) {
		t.Errorf("the context has ended: %v", err)
	}
	if _, err := st.Recv(lateCancel{ctx, st}); err != io.ErrClosedPipe {
		t.Errorf("the stream has ended while Recv found that its context had: %v", err)
	}
}

// Promise 7: a peer that sends more than its credit loses that stream, and no more.
func TestACreditOverrunEndsThatStreamOnly(t *testing.T) {
	st, s, w := openedMux(t, 2)
	other, err := s.openMux(t.Context(), remoteHandler{out: 1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	receive(t, s, data(st.id, "a"), data(st.id, "b"), data(st.id, "c"), data(other.id, "x"))
	if f := w.wait(t, frames.OpCancel, st.id); f.Code != CodeProtocol {
		t.Errorf("the peer is told %+v", f)
	}
	if _, err := drainMux(t, st.Recv); !errors.Is(err, ErrProtocol) {
		t.Error(err)
	}
	if msg, err := other.Recv(t.Context()); err != nil || string(msg) != "x" || w.err() != nil {
		t.Errorf("the other stream: %q, %v; the session: %v", msg, err, w.err())
	}
}

// Promise 4: the poison of a stream overtakes all that is queued in it.
func TestCancelReachesAStreamHandlerWhoseQueuesAreFull(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	s, w := live(t, Config{}, func(m *Manager) error {
		return m.RegisterMux(1, MuxHandler{InCapacity: 2, Handle: func(ctx context.Context, st *MuxServer) error {
			close(started)
			err := st.Send(ctx, []byte("one"))
			if err == nil {
				err = st.Send(ctx, []byte("two")) // beyond the credit: it waits
			}
			ended <- errors.Join(err, context.Cause(ctx))
			return nil // politely: it is no clean end all the same
		}})
	})
	receive(t, s, frames.Frame{Op: frames.OpOpen, Mux: 1, Credit: 1})
	<-started
	w.wait(t, frames.OpData, 1)
	receive(t, s, data(1, "a"), data(1, "b"))
	receive(t, s, frames.Frame{Op: frames.OpCancel, Mux: 1, Code: CodeDeadlineExceeded, Text: []byte("late")})
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the handler sees %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the handler does not learn of it")
	}
	if f := w.wait(t, frames.OpStatus, 1); f.Code == frames.CodeOK {
		t.Error("a cancelled stream ends as a complete one")
	}
}

func TestCreditComesBackHalfAWindowAtATime(t *testing.T) {
	const window = 8
	st, s, w := openedMux(t, window)
	returned := uint64(0)
	for i := range 5 * window {
		receive(t, s, data(st.id, fmt.Sprint(i)))
		if _, err := st.Recv(t.Context()); err != nil {
			t.Fatal(err)
		}
		if (i+1)%(window/2) == 0 {
			returned += w.wait(t, frames.OpCredit, st.id).Credit
		}
	}
	if returned != 5*window {
		t.Errorf("%d of %d messages returned as credit", returned, 5*window)
	}
}

// The half of a message that has come when its stream is given up is not kept for as long
// as the handler runs, which may not care.
func TestHalfAMessageOfAStreamThatWasGivenUpIsForgotten(t *testing.T) {
	st, s, _ := openedMux(t, 4)
	half := fragments(frames.Frame{Op: frames.OpData, Mux: st.id}, make([]byte, 100_000), 60_000)[0]
	receive(t, s, half)
	if n := s.held.Load(); n != 100_000 {
		t.Fatalf("%d bytes held of a message of 100000", n)
	}
	st.Cancel(nil)
	receive(t, s, frames.Frame{Op: frames.OpPing})
	if n := s.held.Load(); n != 0 || s.assembling != nil {
		t.Errorf("%d bytes held of a stream that was given up", n)
	}
}

// Promise 11, for what is received: the bytes of the wire are the poller's.
func TestWhatIsReceivedBelongsToTheReceiver(t *testing.T) {
	st, s, _ := openedMux(t, 4)
	f := data(st.id, "mine")
	wire := frames.Append(nil, &f)
	if err := s.Message(wire); err != nil {
		t.Fatal(err)
	}
	s.BatchEnd()
	clear(wire)
	if msg, err := st.Recv(t.Context()); err != nil || !bytes.Equal(msg, []byte("mine")) {
		t.Errorf("%q, %v", msg, err)
	}
}
