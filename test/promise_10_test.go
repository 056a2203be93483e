package test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

func blowUp(with any) { panic(with) }

// A panic in any kind of handler is that caller's error, with the stack in the log and
// not on the wire; calls beside it and after it do not notice.
func TestPromise10APanicIsItsCallersError(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		var log logLines
		release := make(chan struct{})
		p := n.pair(t, log.option(),
			single(hOwn, func(context.Context, []byte) ([]byte, error) { blowUp("in a single"); return nil, nil }),
			mux(hOwn2, gridnode.MuxHandler{InCapacity: 1, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				if err := st.Send(ctx, numbered(0)); err != nil {
					return err
				}
				blowUp(errors.New("in a mux"))
				return nil
			}}),
			stream(hOwn3, gridnode.StreamHandler{InCapacity: 1, Handle: func(_ context.Context, _ []byte, _ <-chan []byte, out chan<- []byte) error {
				out <- numbered(0)
				blowUp("in a stream")
				return nil
			}}),
			single(hOwn4, func(context.Context, []byte) ([]byte, error) { <-release; return []byte("unharmed"), nil }),
		)
		beside := make(chan string, 1)
		go func() { // ends with the call
			resp, err := p.conn.Request(background, hOwn4, nil)
			if err != nil {
				resp = []byte(err.Error())
			}
			beside <- string(resp)
		}()
		wantPanic := func(err error, text string) {
			t.Helper()
			wantIs(t, err, gridnode.ErrPanic)
			if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "goroutine") {
				t.Errorf("the error is %v", err)
			}
		}
		resp, err := p.conn.Request(t.Context(), hOwn, nil)
		wantPanic(err, "in a single")
		if resp != nil {
			t.Errorf("%q beside the error", resp)
		}
		st := open(t, p.conn, hOwn2, nil)
		if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, 0) {
			t.Errorf("what was sent before: %v, %v", msg, err)
		}
		_, err = st.Recv(t.Context())
		wantPanic(err, "in a mux")
		items := 0
		ch := openChannels(t, background, p.conn, hOwn3, nil)
		wantPanic(ch.Results(func([]byte) error { items++; return nil }), "in a stream")
		if items != 1 {
			t.Errorf("%d items before the panic, want 1", items)
		}
		close(ch.Requests)
		if n := log.count("blowUp"); n < 3 {
			t.Errorf("%d stacks in the log, want 3:\n%s", n, strings.Join(log.all(), "\n"))
		}
		close(release)
		if got := receive(t, "the call beside ends", beside); got != "unharmed" {
			t.Errorf("the call beside: %s", got)
		}
		wantEcho(t, p.conn, "afterwards")
		if n := p.conn.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions, want the first still", n)
		}
	})
}
