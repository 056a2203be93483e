package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The sizes around what is copied at once, and around a fragment.
var bufferSizes = []int{100, 5_000, 70_000}

func fill(buf []byte, with byte) []byte {
	for i := range buf {
		buf[i] = with
	}
	return buf
}

// A buffer that is passed in may be changed as soon as the call has returned.
func TestPromise11ABufferPassedInMayBeReusedAtOnce(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 8, OutCapacity: 9, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			buf := bytes.Clone(st.Payload()) // the handler's sends too
			if err := st.Send(ctx, buf); err != nil {
				return err
			}
			for msg, err := range st.All(ctx) {
				if err != nil {
					return err
				}
				copy(buf, msg)
				if err := st.Send(ctx, buf); err != nil {
					return err
				}
				fill(buf, 'x')
			}
			return nil
		}}))
		for _, size := range bufferSizes {
			buf := make([]byte, size)
			st := open(t, p.conn, hOwn, fill(buf, 'p'))
			fill(buf, 'x')
			for _, b := range []byte("abcdefgh") {
				if err := st.Send(t.Context(), fill(buf, b)); err != nil {
					t.Fatal(err)
				}
				fill(buf, 'x')
			}
			st.CloseSend()
			want := []byte("pabcdefgh")
			for msg, err := range st.All(t.Context()) {
				if err != nil || len(want) == 0 || !bytes.Equal(msg, bytes.Repeat(want[:1], size)) {
					t.Fatalf("size %d: %d bytes, want all %q; %v", size, len(msg), want[:1], err)
				}
				want = want[1:]
			}
			if len(want) > 0 {
				t.Errorf("size %d: %q did not come", size, want)
			}
			ctx, cancel := context.WithCancel(background)
			cancelled := make(chan struct{})
			go func() { // a request whose caller leaves in the middle of it
				defer close(cancelled)
				p.conn.Request(ctx, hEcho, buf)
			}()
			cancel()
			<-cancelled
			fill(buf, 'y') // the race detector looks
		}
	})
}

// A buffer that is handed out belongs to the receiver: nothing changes it, though all
// of them are kept, and the receivers may change them.
func TestPromise11ABufferHandedOutIsTheReceivers(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		var mu sync.Mutex
		kept := map[byte][]byte{} // what handlers have kept of their requests
		p := n.pair(t, single(hOwn, func(_ context.Context, req []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			kept[req[0]] = req
			return req, nil // and it is the response as well
		}))
		for _, size := range bufferSizes {
			clear(kept)
			responses := map[byte][]byte{}
			for b := range byte(50) {
				resp, err := p.conn.Request(t.Context(), hOwn, fill(make([]byte, size), b))
				if err != nil {
					t.Fatal(err)
				}
				responses[b] = resp
			}
			for b, resp := range responses {
				if !bytes.Equal(resp, bytes.Repeat([]byte{b}, size)) {
					t.Errorf("size %d: response %d has changed", size, b)
				}
				fill(resp, 255)
			}
			for b, req := range kept {
				if !bytes.Equal(req, bytes.Repeat([]byte{b}, size)) {
					t.Errorf("size %d: request %d has changed", size, b)
				}
			}
		}
	})
}

// Who appends to what he was given, twice, gets two slices: there is no room behind it
// that both would use, recycled or not.
func TestPromise11ABufferHandedOutEndsWhereItsMessageEnds(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t,
			single(hOwn, func(_ context.Context, req []byte) ([]byte, error) { return req, roomless(req) }),
			mux(hOwn2, gridnode.MuxHandler{InCapacity: 1, OutCapacity: 1, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
				msg, err := st.Recv(ctx)
				return errors.Join(err, roomless(msg), roomless(st.Payload()), st.Send(ctx, msg))
			}}))
		for i := range 4 {
			for _, size := range append(bufferSizes, 0, 1, 63, 64, 600, 1<<20+1) {
				msg := make([]byte, size)
				resp, err := p.conn.Request(t.Context(), hOwn, msg)
				st := open(t, p.conn, hOwn2, msg)
				back, streamErr := exchanged(t.Context(), st, msg)
				if err := errors.Join(err, streamErr, roomless(resp), roomless(back)); err != nil || len(resp) != size || len(back) != size {
					t.Errorf("round %d, %d bytes: %d and %d came back; %v", i, size, len(resp), len(back), err)
				}
				gridnode.Recycle(resp)
				gridnode.Recycle(back)
			}
		}
	})
}

func exchanged(ctx context.Context, st *gridnode.MuxClient, msg []byte) ([]byte, error) {
	defer st.Cancel(nil)
	if err := st.Send(ctx, msg); err != nil {
		return nil, err
	}
	return st.Recv(ctx)
}

func roomless(msg []byte) error {
	if cap(msg) != len(msg) {
		return fmt.Errorf("a message of %d bytes has room for %d", len(msg), cap(msg))
	}
	return nil
}
