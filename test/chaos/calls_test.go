package chaos

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// hangFor is the deadline of a call whose handler hangs, in the test's time: long
// enough for most of them to be cut before.
const hangFor = 500 * time.Millisecond

// call makes one call by chance, from its beginning to its end, and accounts for it.
func (l *ledger) call(r *rand.Rand, conn *gridnode.Connection) outcome {
	kinds := []func(context.Context, *gridnode.Connection, plan) error{
		l.single, l.single, l.single, l.down, l.results, l.responses, l.both, l.bothByChan,
	}
	kind := kinds[r.IntN(len(kinds))]
	p := draw(r, l.open())
	ctx := context.Background()
	if p.end == endHanging {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hangFor)
		defer cancel()
	}
	end := l.end(p.id, kind(ctx, conn, p))
	if end == complete && p.end != endWell || end == planned && p.end != endFailing || end == timedOut && p.end != endHanging {
		l.breach(p.id, "ended as %v, which is not its plan", end)
	}
	return end
}

func (l *ledger) single(ctx context.Context, conn *gridnode.Connection, p plan) error {
	resp, err := conn.Request(ctx, hSingle, p.message(0))
	if err != nil {
		if resp != nil {
			l.breach(p.id, "%d bytes of result and an error: %v", len(resp), err)
		}
		return err
	}
	if err := p.wantMessage(resp, 1); err != nil {
		l.breach(p.id, "at the caller: %v", err)
	}
	return nil
}

func (l *ledger) down(ctx context.Context, conn *gridnode.Connection, p plan) error {
	st, err := conn.OpenMux(ctx, hDown, p.message(0))
	if err != nil {
		return err
	}
	return l.drain(p, st)
}

// drain receives to the end: all messages in order, or an error. After the end there
// is nothing but the same end.
func (l *ledger) drain(p plan, st *gridnode.MuxClient) error {
	for n := 0; ; n++ {
		msg, err := st.Recv(context.Background())
		if err == nil {
			if err := p.wantMessage(msg, n); err != nil {
				l.breach(p.id, "at the caller: %v", err)
			}
			continue
		}
		l.checkCount(p, n, err)
		if msg, again := st.Recv(context.Background()); again != err || msg != nil {
			l.breach(p.id, "ends with %v, and then with %v", err, again)
		}
		return err
	}
}

// checkCount: a stream may end cleanly, or with its handler's error, only after all
// messages.
func (l *ledger) checkCount(p plan, n int, err error) {
	if n > p.items {
		l.breach(p.id, "%d messages, sent were %d", n, p.items)
	}
	if end, _ := outcomeOf(err); n < p.items && (end == complete || end == planned) {
		l.breach(p.id, "truncated: %d of %d messages, then %v", n, p.items, end)
	}
}

func (l *ledger) results(ctx context.Context, conn *gridnode.Connection, p plan) error {
	st, err := conn.NewStream(ctx, hDownByChan, p.message(0))
	if err != nil {
		return err
	}
	n := 0
	err = st.Results(func(msg []byte) error {
		if err := p.wantMessage(msg, n); err != nil {
			l.breach(p.id, "at the caller: %v", err)
		}
		n++
		return nil
	})
	// The stream's deadline may replace a message that waits for its reader.
	l.checkCount(p, n, err)
	return err
}

func (l *ledger) responses(ctx context.Context, conn *gridnode.Connection, p plan) error {
	st, err := conn.NewStream(ctx, hDown, p.message(0))
	if err != nil {
		return err
	}
	return l.drainChan(p, st)
}

// drainChan is drain for the channel form: an error is the last element, once.
func (l *ledger) drainChan(p plan, st *gridnode.Stream) error {
	n, last := 0, error(nil)
	for resp := range st.Responses {
		if last != nil {
			l.breach(p.id, "%d bytes, error %v after the error %v", len(resp.Msg), resp.Err, last)
		}
		if resp.Err != nil {
			if resp.Msg != nil {
				l.breach(p.id, "%d bytes and an error: %v", len(resp.Msg), resp.Err)
			}
			last = resp.Err
			continue
		}
		if err := p.wantMessage(resp.Msg, n); err != nil {
			l.breach(p.id, "at the caller: %v", err)
		}
		n++
	}
	l.checkCount(p, n, last)
	return last
}

func (l *ledger) both(ctx context.Context, conn *gridnode.Connection, p plan) error {
	st, err := conn.OpenMux(ctx, hBoth, p.message(0))
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- sendAll(p, st) }() // ends with the stream; awaited below
	err = l.drain(p, st)
	if sendErr := <-sent; sendErr != nil && err == io.EOF {
		l.breach(p.id, "a clean end, and sending failed with %v", sendErr)
	}
	return err
}

func sendAll(p plan, st *gridnode.MuxClient) error {
	for n := range p.items {
		if err := st.Send(context.Background(), p.message(n)); err != nil {
			return err
		}
	}
	return st.CloseSend()
}

func (l *ledger) bothByChan(ctx context.Context, conn *gridnode.Connection, p plan) error {
	st, err := conn.NewStream(ctx, hBothByChan, p.message(0))
	if err != nil {
		return err
	}
	ended, sent := make(chan struct{}), make(chan error, 1)
	go func() { sent <- sendAllByChan(p, st, ended) }() // ends with the stream; awaited below
	err = l.drainChan(p, st)
	close(ended)
	if sendErr := <-sent; sendErr != nil && err == nil {
		l.breach(p.id, "a clean end, and sending failed with %v", sendErr)
	}
	return err
}

func sendAllByChan(p plan, st *gridnode.Stream, ended <-chan struct{}) error {
	for n := range p.items {
		select {
		case st.Requests <- p.message(n):
		case <-ended:
			return errors.New("the stream has ended")
		}
	}
	close(st.Requests)
	return nil
}
