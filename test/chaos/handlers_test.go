package chaos

import (
	"context"
	"errors"
	"io"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// The handlers of every node.
const (
	hSingle     gridnode.HandlerID = 1 + iota
	hDown                          // a stream to the caller, through methods
	hDownByChan                    // the same through channels
	hBoth                          // a two-way stream, through methods
	hBothByChan                    // the same through channels
)

// handlers registers the serving side of the workload on every node.
func handlers(l *ledger) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
		return errors.Join(
			errorRegistered(),
			m.RegisterSingle(hSingle, l.serveSingle),
			m.RegisterMux(hDown, gridnode.MuxHandler{Handle: l.serveDown, OutCapacity: 8}),
			m.RegisterStream(hDownByChan, gridnode.StreamHandler{Handle: l.serveDownByChan, OutCapacity: 3}),
			m.RegisterMux(hBoth, gridnode.MuxHandler{Handle: l.serveBoth, InCapacity: 4, OutCapacity: 4}),
			m.RegisterStream(hBothByChan, gridnode.StreamHandler{Handle: l.serveBothByChan, InCapacity: 3, OutCapacity: 1}),
		)
	})
}

// begin reads the plan of a call that has arrived, and counts the execution.
func (l *ledger) begin(first []byte) (plan, error) {
	p, err := planOf(first)
	if err != nil {
		return p, l.breach(0, "%v", err)
	}
	l.ran(p.id)
	if err := p.wantMessage(first, 0); err != nil {
		return p, l.breach(p.id, "at the handler: %v", err)
	}
	return p, nil
}

// finish ends a call as planned.
func (p plan) finish(ctx context.Context) error {
	switch p.end {
	case endFailing:
		return errPlanned
	case endHanging:
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return nil
}

func (l *ledger) serveSingle(ctx context.Context, req []byte) ([]byte, error) {
	p, err := l.begin(req)
	if err != nil {
		return nil, err
	}
	if err := p.finish(ctx); err != nil {
		return nil, err
	}
	return p.message(1), nil
}

func (l *ledger) serveDown(ctx context.Context, st *gridnode.MuxServer) error {
	p, err := l.begin(st.Payload())
	if err != nil {
		return err
	}
	for n := range p.items {
		if err := st.Send(ctx, p.message(n)); err != nil {
			return err
		}
	}
	return p.finish(ctx)
}

func (l *ledger) serveDownByChan(ctx context.Context, payload []byte, _ <-chan []byte, out chan<- []byte) error {
	p, err := l.begin(payload)
	if err != nil {
		return err
	}
	for n := range p.items {
		out <- p.message(n) // never waits for ever: the stream's end drains it
	}
	return p.finish(ctx)
}

// serveBoth sends each message back. An end that is clean must come after all of them.
func (l *ledger) serveBoth(ctx context.Context, st *gridnode.MuxServer) error {
	p, err := l.begin(st.Payload())
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		msg, err := st.Recv(ctx)
		if err == io.EOF {
			return l.finishBoth(ctx, p, n)
		}
		if err != nil {
			return err
		}
		if err := p.wantMessage(msg, n); err != nil {
			return l.breach(p.id, "at the handler: %v", err)
		}
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
	}
}

func (l *ledger) serveBothByChan(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
	p, err := l.begin(payload)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		select {
		case msg, ok := <-in:
			if !ok {
				return l.finishBoth(ctx, p, n)
			}
			if err := p.wantMessage(msg, n); err != nil {
				return l.breach(p.id, "at the handler: %v", err)
			}
			out <- msg
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finishBoth is a handler's clean end of input, after n messages.
func (l *ledger) finishBoth(ctx context.Context, p plan, n int) error {
	if n != p.items {
		return l.breach(p.id, "the handler sees a clean end after %d of %d messages", n, p.items)
	}
	return p.finish(ctx)
}
