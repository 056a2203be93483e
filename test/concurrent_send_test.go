package test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// senders are the goroutines that send through one end of a stream at once, each its
// own size: within a frame, one frame of bulk, and many fragments.
var senders = []int{8, 100, 40_000, 70_000, 300_000}

const eachSends = 20

// sendConcurrently sends from all of them and waits for their end.
func sendConcurrently(ctx context.Context, send func(context.Context, []byte) error) error {
	var all sync.WaitGroup
	errs := make([]error, len(senders))
	for k, size := range senders {
		all.Go(func() {
			for i := range eachSends {
				msg := make([]byte, size)
				binary.BigEndian.PutUint32(msg, uint32(k))
				binary.BigEndian.PutUint32(msg[4:], uint32(i))
				errs[k] = errors.Join(errs[k], send(ctx, msg))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// collect reads a stream to its clean end: each sender's messages come whole, once and
// in its order.
func collect(recv func() ([]byte, error)) error {
	next := make([]uint32, len(senders))
	for {
		msg, err := recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		k := binary.BigEndian.Uint32(msg)
		if len(msg) != senders[k] || binary.BigEndian.Uint32(msg[4:]) != next[k] {
			return errors.New("a message is not whole, or not in its sender's order")
		}
		next[k]++
	}
	for _, n := range next {
		if n != eachSends {
			return errors.New("messages are missing")
		}
	}
	return nil
}

// Several goroutines may send through one end of a stream, small messages while
// fragments of large ones are on their way.
func TestConcurrentSendsOfAllSizesDoNotMix(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		handler := gridnode.MuxHandler{InCapacity: 4, OutCapacity: 4, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			sent := make(chan error, 1)
			go func() { sent <- sendConcurrently(ctx, st.Send) }() // ends with ctx at the latest
			err := collect(func() ([]byte, error) { return st.Recv(ctx) })
			return errors.Join(err, <-sent)
		}}
		p := n.pair(t, mux(hOwn, handler))
		st := open(t, p.conn, hOwn, nil)
		sent := make(chan error, 1)
		go func() { // ends with the stream
			err := sendConcurrently(background, st.Send)
			sent <- errors.Join(err, st.CloseSend())
		}()
		if err := collect(func() ([]byte, error) { return st.Recv(background) }); err != nil {
			t.Error(err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}
