package test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// sends starts a Send that is to wait, and returns its result.
func sends(ctx context.Context, st *gridnode.MuxClient, size int) <-chan error {
	sent := make(chan error, 1)
	go func() { sent <- st.Send(ctx, make([]byte, size)) }() // ends with the stream
	return sent
}

// sizesInQueue are messages that wait at different places when the link does not move:
// at the gate, for the window, for the window with fragments out.
var sizesInQueue = []struct {
	name string
	size int
}{{"small", 100}, {"bulk", 10_000}, {"fragments", 2 << 20}}

// stalled returns a pair whose link does not move and whose queues and window are
// full, on account of streams that go on when it does.
func stalled(t *testing.T, n *rig, h gridnode.MuxHandler) *pair {
	t.Helper()
	p := n.pair(t, mux(hOwn, h), mux(hOwn2, gridnode.MuxHandler{InCapacity: 1 << 16, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
		for _, err := range st.All(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	}}))
	return p
}

// fill stalls the link and fills its queues, for messages of every size; what it
// returns must be called after Resume.
func (p *pair) fill(t *testing.T) (drained func()) {
	t.Helper()
	p.link().Stall()
	var done []<-chan error
	for _, size := range []int{2 << 20, 4096} {
		st := open(t, p.conn, hOwn2, nil)
		sent := make(chan error, 1)
		done = append(done, sent)
		go func() { // ends when the link moves
			var err error
			for range (4 << 20) / size {
				err = errors.Join(err, st.Send(background, make([]byte, size)))
			}
			sent <- errors.Join(err, st.CloseSend())
		}()
	}
	synctest.Wait()
	return func() {
		for _, sent := range done {
			if err := receive(t, "the streams that filled the link go on", sent); err != nil {
				t.Error(err)
			}
		}
	}
}

// Promise 7: a Send that gives up has sent nothing, wherever it waited: the credit is
// there for the next one.
func TestASendThatGivesUpKeepsItsCredit(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, c := range sizesInQueue[:2] {
			p := stalled(t, n, gridnode.MuxHandler{InCapacity: 1, OutCapacity: 1, Handle: echoMux})
			st := open(t, p.conn, hOwn, nil)
			drained := p.fill(t)
			for range 3 {
				ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
				wantIs(t, st.Send(ctx, make([]byte, c.size)), context.DeadlineExceeded)
				cancel()
			}
			p.link().Resume()
			drained()
			ctx, cancel := context.WithTimeout(background, patience)
			if err := st.Send(ctx, []byte("next")); err != nil {
				t.Errorf("%s: the next message: %v", c.name, err)
			}
			if msg, err := st.Recv(ctx); err != nil || string(msg) != "next" {
				t.Errorf("%s: %q, %v", c.name, msg, err)
			}
			cancel()
			st.Cancel(nil)
		}
	})
}

// The same where the next message of a stream waits for the fragments of another.
func TestASendThatGivesUpBehindFragmentsKeepsItsCredit(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, size := range []int{100, 10_000} {
			p := stalled(t, n, gridnode.MuxHandler{InCapacity: 2, OutCapacity: 1, Handle: echoMux})
			st := open(t, p.conn, hOwn, nil)
			p.link().Stall()
			large := sends(background, st, 2<<20)
			synctest.Wait()
			for range 3 {
				ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
				wantIs(t, st.Send(ctx, make([]byte, size)), context.DeadlineExceeded)
				cancel()
			}
			next := sends(background, st, size)
			p.link().Resume()
			for _, want := range []int{2 << 20, size} {
				if msg, err := st.Recv(t.Context()); err != nil || len(msg) != want {
					t.Errorf("%d bytes, %v; want %d", len(msg), err, want)
				}
			}
			for _, sent := range []<-chan error{large, next} {
				if err := receive(t, "both are sent", sent); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
			p.link().Stall()
			for range 2 {
				ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
				if err := st.Send(ctx, nil); err != nil {
					t.Errorf("within the capacity: %v", err)
				}
				cancel()
			}
			p.link().Resume()
			st.Cancel(nil)
		}
	})
}

// Promise 4: the end of a stream ends its Sends at once, wherever they wait and
// whatever context they have.
func TestTheEndOfAStreamEndsItsSendsAtOnce(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, c := range sizesInQueue {
			p := stalled(t, n, gridnode.MuxHandler{InCapacity: 4, OutCapacity: 1, Handle: echoMux})
			st := open(t, p.conn, hOwn, nil)
			drained := func() {}
			if c.name == "fragments" {
				p.link().Stall()
			} else {
				drained = p.fill(t)
			}
			waiting := []<-chan error{sends(background, st, c.size), sends(background, st, c.size), sends(background, st, 10)}
			synctest.Wait()
			start, gone := time.Now(), errors.New("gone")
			st.Cancel(gone)
			for _, sent := range waiting {
				if err := receive(t, c.name+": Send returns", sent); err != nil { // one may have got through
					wantIs(t, err, gone)
				}
			}
			n.wantWithin(t, c.name+": Send after Cancel", start, 0)
			p.link().Resume()
			drained()
			wantEcho(t, p.conn, "afterwards")
		}
	})
}

// A handler that returns early ends a Send of its caller that has not sent all.
func TestAHandlersReturnEndsALargeSend(t *testing.T) {
	onEveryLink(t, func(t *testing.T, n *rig) {
		enough := errors.New("enough")
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 1, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			if len(st.Payload()) > 0 {
				return enough
			}
			return nil
		}}))
		p.link().Throttle(8 << 20) // all of it takes four seconds, by which the handler has returned
		for _, payload := range []string{"", "fail"} {
			for range 3 {
				st := open(t, p.conn, hOwn, []byte(payload))
				if err := st.Send(background, make([]byte, 32<<20)); err == nil {
					t.Error("all was sent to a handler that is gone")
				}
				if _, err := st.Recv(t.Context()); (err == io.EOF) != (payload == "") {
					t.Error(err)
				}
			}
		}
		p.link().Throttle(0)
		wantEcho(t, p.conn, "afterwards")
	})
}

// Promise 1: a stream whose connection is lost was sent, whatever of its last message
// was not.
func TestALostStreamIsNotNotSent(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, c := range sizesInQueue {
			p := stalled(t, n, gridnode.MuxHandler{InCapacity: 4, OutCapacity: 1, Handle: echoMux})
			st := open(t, p.conn, hOwn, nil)
			p.fill(t)
			sent := sends(background, st, c.size)
			synctest.Wait()
			p.link().Cut()
			err := receive(t, "Send returns", sent)
			if err == nil { // the queue had room between the cut and its being noticed
				_, err = st.Recv(t.Context())
			}
			wantIs(t, err, gridnode.ErrDisconnected)
			if errors.Is(err, gridnode.ErrNotSent) {
				t.Errorf("%s: %v", c.name, err)
			}
			p.link().Resume()
			p.serves(t)
		}
	})
}

// arrived opens a stream whose handler has sent n numbers and returned, none of which
// has been read.
func arrived(t *testing.T, p *pair, ctx context.Context, n int) *gridnode.MuxClient {
	t.Helper()
	st, err := p.conn.OpenMux(ctx, hCount, numbered(n))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the handler's end has arrived", func() bool { return p.conn.Stats().Streams == 0 })
	return st
}

// Whoever stops reading leaves nothing behind, also if the handler has ended before:
// its bytes go back to the budget, and what is missing is told.
func TestGivingUpAfterTheHandlersEndLeavesNothing(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		nothingHeld := func(how string) {
			t.Helper()
			eventually(t, how+": no bytes are held", func() bool { return p.conn.Stats().HeldBytes == 0 })
		}
		st := arrived(t, p, background, 4)
		st.Cancel(nil)
		nothingHeld("Cancel")
		_, err := st.Recv(t.Context())
		wantIs(t, err, context.Canceled)

		ctx, cancel := context.WithCancel(background)
		st = arrived(t, p, ctx, 4)
		cancel()
		nothingHeld("the context of OpenMux")
		_, err = st.Recv(t.Context())
		wantIs(t, err, context.Canceled)

		st = arrived(t, p, background, 4)
		wantNumbers(t, st, 4)
		st.Cancel(nil)
		if _, err := st.Recv(t.Context()); err != io.EOF {
			t.Errorf("after a complete stream and a Cancel: %v", err)
		}
		nothingHeld("all read")
	})
}

// The same through channels; and nobody can take what was read for a complete stream.
func TestGivingUpAfterTheHandlersEndThroughChannels(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		opened := func(ctx context.Context, numbers int) *gridnode.Stream {
			st := openChannels(t, ctx, p.conn, hCount, numbered(numbers))
			receive(t, "the handler's end", st.Done())
			return st
		}
		enough := errors.New("enough")
		st := opened(background, 4)
		wantIs(t, st.Results(func([]byte) error { return enough }), enough)
		if err := st.Results(func([]byte) error { return nil }); err == nil {
			t.Error("the second time the stream looks complete")
		}
		for numbers := range 5 {
			ctx, cancel := context.WithCancel(background)
			st = opened(ctx, numbers)
			cancel()
			read := 0
			err := st.Results(func([]byte) error { read++; return nil })
			if err == nil && read < numbers {
				t.Errorf("%d of %d read, and a clean end", read, numbers)
			}
			if err != nil {
				wantIs(t, err, context.Canceled)
			}
		}
	})
}

// Nor for one where all had come before Results gave up, and waited in Responses.
func TestPromise2ResultsThatGaveUpHaveNoCleanEnd(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		for _, capacity := range channelCapacities {
			p := n.pair(t, mux(hOwn, gridnode.MuxHandler{OutCapacity: capacity, Handle: countMux}))
			st := openChannels(t, background, p.conn, hOwn, numbered(2))
			settle()
			enough := errors.New("enough")
			for range 2 {
				wantIs(t, st.Results(func([]byte) error { return enough }), enough)
			}
		}
	})
}

// After the handler's end nobody receives from Requests: Done tells, whether Responses
// have been read or not.
func TestDoneDoesNotWaitForTheReader(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, mux(hOwn, gridnode.MuxHandler{InCapacity: 1, OutCapacity: 4, Handle: countMux}))
		st := openChannels(t, background, p.conn, hOwn, numbered(4))
		deadline := time.After(patience)
		for over := false; !over; {
			select {
			case st.Requests <- []byte("more"):
			case <-st.Done():
				over = true
			case <-deadline:
				t.Fatal("a sender that selects on Done is stuck")
			}
		}
		read := 0
		if err := st.Results(func([]byte) error { read++; return nil }); err != nil || read != 4 {
			t.Errorf("%d of 4 read, then %v", read, err)
		}
	})
}

// A message that cannot be sent ends the stream of the channel form, which has no other
// way to tell.
func TestAMessageTooLargeForAChannelEndsTheStream(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.MaxMessage = 1 << 16 }),
			stream(hOwn, gridnode.StreamHandler{InCapacity: 1, Handle: func(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
				for {
					select {
					case msg, ok := <-in:
						if !ok {
							return nil
						}
						out <- append(msg, 0)
					case <-ctx.Done():
						return ctx.Err() // politely
					}
				}
			}}))
		for _, size := range []int{1 << 16, 1<<16 + 1} { // too large for out, and for Requests
			st := openChannels(t, background, p.conn, hOwn, nil)
			select {
			case st.Requests <- make([]byte, size):
			case <-time.After(patience):
				t.Fatal("nobody takes the message")
			}
			wantLastError(t, st, gridnode.ErrMessageTooLarge)
		}
	})
}
