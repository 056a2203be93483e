package test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// brokenReader opens a stream that never ends by itself, says so, and reads it until its
// error.
type brokenReader func(conn *gridnode.Connection, opened func()) error

// readers are the ways to read a stream to its end.
var readers = map[string]brokenReader{
	"recv": func(conn *gridnode.Connection, opened func()) error {
		st, err := conn.OpenMux(background, hCount, number(1<<40))
		opened()
		for err == nil {
			_, err = st.Recv(background)
		}
		return err
	},
	"all": func(conn *gridnode.Connection, opened func()) error {
		st, err := conn.OpenMux(background, hCount, number(1<<40))
		opened()
		if err != nil {
			return err
		}
		for _, end := range st.All(background) {
			err = end
		}
		return err
	},
	"results": func(conn *gridnode.Connection, opened func()) error {
		st, err := conn.NewStream(background, hCount, number(1<<40))
		opened()
		if err != nil {
			return err
		}
		return st.Results(func([]byte) error { return nil })
	},
	"responses": func(conn *gridnode.Connection, opened func()) error {
		st, err := conn.NewStream(background, hCount, number(1<<40))
		opened()
		if err != nil {
			return err
		}
		for r := range st.Responses {
			err = r.Err
		}
		return err
	},
}

// W1, d8e05aca8 (#19625): an endless stream whose link is cut, at any moment and however it
// is read, ends with ErrDisconnected, never with a clean end.
func TestPromise2ACutStreamIsNeverACleanEnd(t *testing.T) {
	t.Parallel() // with other tests that only wait
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			atOnce(t, links, func(t *testing.T, n *rig) {
				p := n.pair(t, quickReturn())
				for i := range 16 / min(underRace, 4) {
					var streams, opened sync.WaitGroup
					opened.Add(4)
					for range 4 {
						streams.Go(func() {
							err := read(p.conn, opened.Done)
							if err == nil || errors.Is(err, io.EOF) || !errors.Is(err, gridnode.ErrDisconnected) {
								t.Errorf("the stream ended with %v", err)
							}
						})
					}
					opened.Wait()                // a stream opened after the cut would never end
					if i%2 == 0 || n.virtual() { // no time passes in a bubble that is busy
						p.link().CutAfter(i * 2000)
					} else {
						<-time.After(time.Duration(i) * 200 * time.Microsecond)
						p.link().Cut()
					}
					streams.Wait()
					p.serves(t)
				}
			})
		})
	}
}

// A caller whose link is cut never looks to the handler as one that has finished
// sending: the handler's loop ends with an error, or its context says so.
func TestPromise2ACutCallerIsNeverAFinishedOne(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, links, func(t *testing.T, n *rig) {
		ends, entered := make(chan error, 10), make(chan struct{}, 10)
		p := n.pair(t, quickReturn(),
			mux(hOwn, gridnode.MuxHandler{InCapacity: 4, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				entered <- struct{}{}
				var err error
				for err == nil {
					_, err = st.Recv(ctx)
				}
				ends <- err
				return nil
			}}),
			stream(hOwn2, gridnode.StreamHandler{InCapacity: 4, Handle: func(ctx context.Context, _ []byte, in <-chan []byte, _ chan<- []byte) error {
				entered <- struct{}{}
				for {
					select {
					case _, ok := <-in:
						if !ok {
							ends <- io.EOF
							return nil
						}
					case <-ctx.Done():
						ends <- context.Cause(ctx)
						return nil
					}
				}
			}}),
		)
		for i := range 20 / min(underRace, 5) {
			for _, h := range []gridnode.HandlerID{hOwn, hOwn2} {
				st := open(t, p.conn, h, nil)
				receive(t, "the handler runs", entered)
				go func() { // ends with the stream
					for st.Send(background, make([]byte, 100)) == nil {
					}
				}()
			}
			p.link().CutAfter(i * 1000)
			for range 2 {
				if err := receive(t, "the handlers see the end", ends); !errors.Is(err, gridnode.ErrDisconnected) {
					t.Errorf("a handler saw %v", err)
				}
			}
			p.serves(t)
		}
	})
}

// A handler that returns nil because it was cancelled has not finished: its caller does
// not see a clean end. Nor does one whose items do not go out.
func TestPromise2ACancelledHandlerHasNotFinished(t *testing.T) {
	t.Parallel() // with other tests that only wait
	atOnce(t, networks, func(t *testing.T, n *rig) {
		p := n.pair(t,
			mux(hOwn, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				var err error
				for err == nil { // what needs no waiting may still go out
					err = st.Send(ctx, []byte("item"))
				}
				return err
			}}),
			mux(hOwn2, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				<-ctx.Done()
				return nil
			}}),
		)
		st, err := open(t, p.conn, hOwn, nil), error(nil)
		for err == nil {
			_, err = st.Recv(t.Context())
		}
		wantIs(t, err, context.Canceled)
		ctx, cancel := context.WithTimeout(background, n.unhurried(10*time.Millisecond))
		defer cancel()
		if st, err = p.conn.OpenMux(ctx, hOwn2, nil); err == nil { // the machine may pause before
			_, err = st.Recv(background)
		}
		wantIs(t, err, context.DeadlineExceeded)
	})
}

// What a handler sent before its link was lost arrives, in order, before the error.
func TestPromise2ItemsBeforeTheEndArriveInOrder(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		sent := make(chan struct{}, 1)
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{OutCapacity: 10, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for i := range 10 {
				if err := st.Send(ctx, numbered(i)); err != nil {
					return err
				}
			}
			sent <- struct{}{}
			<-ctx.Done()
			return nil
		}}))
		st := open(t, p.conn, hOwn, nil)
		receive(t, "all is sent", sent)
		eventually(t, "all has arrived", func() bool { return p.conn.Stats().HeldBytes == 80 })
		p.link().Cut()
		eventually(t, "the loss is noticed", func() bool { return p.back.Stats().ServingStreams == 0 })
		for i := range 10 {
			if msg, err := st.Recv(t.Context()); err != nil || !isNumber(msg, i) {
				t.Fatalf("item %d: %v, %v", i, msg, err)
			}
		}
		_, err := st.Recv(t.Context())
		wantIs(t, err, gridnode.ErrDisconnected)
		p.serves(t)
	})
}
