package scenario

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The handlers of every node. A down handler sends as many messages as its payload
// says, an up handler answers with the number it got, a two-way one echoes.
const (
	hEcho gridnode.HandlerID = 1 + iota
	hDown
	hUp
	hTwoWay
	hChanDown
	hChanUp
	hChanTwoWay
	hLent
	hInline
)

// endless is the count for a down handler that sends until it is cancelled.
const endless = 1<<64 - 1

func register(m *gridnode.Manager, cfg Config) error {
	w := cfg.Window
	return errors.Join(
		m.RegisterSingle(hEcho, echo),
		m.RegisterSingleLending(hLent, echo),
		m.RegisterSingleInline(hInline, echo),
		m.RegisterMux(hDown, gridnode.MuxHandler{Handle: down(cfg.Size), OutCapacity: w}),
		m.RegisterMux(hUp, gridnode.MuxHandler{Handle: up, InCapacity: w, OutCapacity: 1}),
		m.RegisterMux(hTwoWay, gridnode.MuxHandler{Handle: twoWay, InCapacity: w, OutCapacity: w}),
		m.RegisterStream(hChanDown, gridnode.StreamHandler{Handle: chanDown(cfg.Size), OutCapacity: w}),
		m.RegisterStream(hChanUp, gridnode.StreamHandler{Handle: chanUp, InCapacity: w, OutCapacity: 1}),
		m.RegisterStream(hChanTwoWay, gridnode.StreamHandler{Handle: chanTwoWay, InCapacity: w, OutCapacity: w}),
	)
}

func echo(_ context.Context, req []byte) ([]byte, error) { return req, nil }

func down(size int) func(context.Context, *gridnode.MuxServer) error {
	return func(ctx context.Context, st *gridnode.MuxServer) error {
		msg := make([]byte, size)
		for left := parseCount(st.Payload()); left > 0; left-- {
			if err := st.Send(ctx, msg); err != nil {
				return err
			}
		}
		return nil
	}
}

func up(ctx context.Context, st *gridnode.MuxServer) error {
	var n uint64
	for {
		_, err := st.Recv(ctx)
		if err == io.EOF {
			return st.Send(ctx, formatCount(n))
		}
		if err != nil {
			return err
		}
		n++
	}
}

func twoWay(ctx context.Context, st *gridnode.MuxServer) error {
	for {
		msg, err := st.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
	}
}

func chanDown(size int) func(context.Context, []byte, <-chan []byte, chan<- []byte) error {
	return func(ctx context.Context, payload []byte, _ <-chan []byte, out chan<- []byte) error {
		msg := make([]byte, size) // the receiver of out only reads it
		for left := parseCount(payload); left > 0; left-- {
			select {
			case out <- msg:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}
}

func chanUp(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
	var n uint64
	for {
		select {
		case _, ok := <-in:
			if !ok {
				out <- formatCount(n)
				return nil
			}
			n++
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func chanTwoWay(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
	for {
		select {
		case msg, ok := <-in:
			if !ok {
				return nil
			}
			select {
			case out <- msg:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func formatCount(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// parseCount returns 0 for what is not a count: the caller then misses messages.
func parseCount(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
