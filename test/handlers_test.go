package test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// The common handlers, which every node of these tests has, and the numbers of those
// that a test registers for itself.
const (
	hEcho       gridnode.HandlerID = 1 + iota // the request
	hFail                                     // an error with the request as its text
	hHang                                     // nothing, until its context ends; then the cause
	hEchoMux                                  // each message, window 4 both ways
	hEchoStream                               // the same through channels
	hCount                                    // as many numbers as the payload says, window 4
	hOwn                                      // the test's
	hOwn2
	hOwn3
	hOwn4
	hOwn5
)

func common() gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
		return errors.Join(
			m.RegisterSingle(hEcho, echo),
			m.RegisterSingle(hFail, func(_ context.Context, req []byte) ([]byte, error) { return nil, errors.New(string(req)) }),
			m.RegisterSingle(hHang, hang),
			m.RegisterMux(hEchoMux, gridnode.MuxHandler{Handle: echoMux, InCapacity: 4, OutCapacity: 4}),
			m.RegisterStream(hEchoStream, gridnode.StreamHandler{Handle: echoStream, InCapacity: 4, OutCapacity: 4}),
			m.RegisterMux(hCount, gridnode.MuxHandler{Handle: countMux, OutCapacity: 4}),
		)
	})
}

func echo(_ context.Context, req []byte) ([]byte, error) { return req, nil }

func hang(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func echoMux(ctx context.Context, st *gridnode.MuxServer) error {
	for msg, err := range st.All(ctx) {
		if err != nil {
			return err
		}
		if err := st.Send(ctx, msg); err != nil {
			return err
		}
	}
	return nil
}

func echoStream(ctx context.Context, _ []byte, in <-chan []byte, out chan<- []byte) error {
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

func countMux(ctx context.Context, st *gridnode.MuxServer) error {
	for i := range numberOf(st.Payload()) {
		if err := st.Send(ctx, number(i)); err != nil {
			return err
		}
	}
	return nil
}

// number and numberOf turn numbers into messages and back.
func number(i uint64) []byte        { return binary.BigEndian.AppendUint64(nil, i) }
func numberOf(b []byte) uint64      { return binary.BigEndian.Uint64(b) }
func numbered(i int) []byte         { return number(uint64(i)) }
func isNumber(b []byte, i int) bool { return len(b) == 8 && numberOf(b) == uint64(i) }

// single registers a handler of the test's own, on every node.
func single(id gridnode.HandlerID, h gridnode.SingleHandler, subroute ...string) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterSingle(id, h, subroute...) })
}

func mux(id gridnode.HandlerID, h gridnode.MuxHandler) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterMux(id, h) })
}

func stream(id gridnode.HandlerID, h gridnode.StreamHandler) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterStream(id, h) })
}

// config changes the configuration of every node.
func config(f func(cfg *gridnode.Config)) gridtest.Option {
	return gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { f(cfg) })
}

// onlyOn registers handlers on one node.
func onlyOn(node int, register func(m *gridnode.Manager) error) gridtest.Option {
	return gridtest.WithHandlers(func(i int, m *gridnode.Manager) error {
		if i != node {
			return nil
		}
		return register(m)
	})
}

// quickDeath shortens the times of all nodes so far that a hung peer is noticed within
// a fraction of a second.
func quickDeath() gridtest.Option { return pings(60 * time.Millisecond) }

// pings shortens the times of all nodes: peers are pinged after d of silence and
// given up after four times that.
func pings(d time.Duration) gridtest.Option {
	return config(func(cfg *gridnode.Config) { cfg.PingAfter, cfg.DeadAfter = d, 4*d })
}

// quickReturn lets a connection that was lost be dialled at once: for tests that lose many,
// and are about something else than the pause before.
func quickReturn() gridtest.Option {
	return config(func(cfg *gridnode.Config) { cfg.ReconnectMin = time.Millisecond })
}

// capacityHandlers registers the counting handler once for each capacity, under a route
// that names it.
func capacityHandlers(capacities []int) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error {
		var errs []error
		for _, c := range capacities {
			errs = append(errs, m.RegisterMux(hOwn, gridnode.MuxHandler{Handle: countMux, OutCapacity: c, Subroute: fmt.Sprint(c)}))
		}
		return errors.Join(errs...)
	})
}
