package test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The application's errors of these tests, the same on every node.
var (
	errLocked          = errors.New("locked")
	errSized     error = sizeError(0) // registered by type: errors.As finds it
	_                  = gridnode.RegisterError(7001, errLocked)
	_                  = gridnode.RegisterError(7002, errSized)
	errUnwritten       = errors.New("never registered")
)

type sizeError int

func (e sizeError) Error() string { return fmt.Sprintf("size %d", int(e)) }

// Is makes every size error one, as os.ErrNotExist does for its kind.
func (e sizeError) Is(target error) bool {
	_, ok := target.(sizeError)
	return ok
}

// ask calls every kind of handler, each of which fails with err, and hands the
// caller's errors to check.
func (n *rig) failing(t *testing.T, err error, check func(t *testing.T, kind string, got error)) {
	t.Helper()
	p := n.pair(t,
		single(hOwn, func(context.Context, []byte) ([]byte, error) { return []byte("not this"), err }),
		mux(hOwn2, gridnode.MuxHandler{Handle: func(context.Context, *gridnode.MuxServer) error { return err }}),
		stream(hOwn3, gridnode.StreamHandler{Handle: func(context.Context, []byte, <-chan []byte, chan<- []byte) error { return err }}),
	)
	resp, got := p.conn.Request(t.Context(), hOwn, nil)
	if resp != nil {
		t.Errorf("a response beside the error: %q", resp)
	}
	check(t, "single", got)
	for _, h := range []gridnode.HandlerID{hOwn2, hOwn3} {
		_, got = open(t, p.conn, h, nil).Recv(t.Context())
		check(t, fmt.Sprint("mux to handler ", h), got)
		check(t, fmt.Sprint("stream to handler ", h), openChannels(t, background, p.conn, h, nil).Results(func([]byte) error { return nil }))
	}
}

// errors.Is holds across the wire for all sentinels, the context's errors and the
// registered ones, bare or wrapped, and for no other; the text survives.
func TestErrorsIsWorksAcrossTheWire(t *testing.T) {
	sentinels := []error{
		gridnode.ErrDisconnected, gridnode.ErrUnknownHandler, gridnode.ErrOverloaded, gridnode.ErrClosed,
		gridnode.ErrMessageTooLarge, gridnode.ErrProtocol, context.Canceled, context.DeadlineExceeded, errLocked,
	}
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		for _, sent := range sentinels {
			wrapped := fmt.Errorf("disk 7: %w", sent)
			for _, err := range []error{sent, wrapped} {
				n.failing(t, err, func(t *testing.T, kind string, got error) {
					for _, other := range append(sentinels, errUnwritten, gridnode.ErrNotSent, gridnode.ErrPanic) {
						if errors.Is(got, other) != (other == sent) {
							t.Errorf("%s: %q arrived as %v: is %q %v", kind, err, got, other, other != sent)
						}
					}
					var e *gridnode.Error
					if !errors.As(got, &e) || !e.Remote || e.Message != err.Error() {
						t.Errorf("%s: %q arrived as %#v", kind, err, got)
					}
				})
			}
		}
	})
}

// errors.As finds a registered error by its type; an error that was not registered is
// one of the application's, and nothing else.
func TestErrorsAsWorksAcrossTheWire(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		n.failing(t, fmt.Errorf("put: %w", sizeError(7)), func(t *testing.T, kind string, got error) {
			var size sizeError
			if !errors.As(got, &size) || !errors.Is(got, errSized) {
				t.Errorf("%s: %#v is no size error", kind, got)
			}
			var e *gridnode.Error
			if !errors.As(got, &e) || e.Code != 7002 || e.Message != "put: size 7" {
				t.Errorf("%s: %#v", kind, got)
			}
		})
		n.failing(t, errUnwritten, func(t *testing.T, kind string, got error) {
			var e *gridnode.Error
			if errors.Is(got, errUnwritten) || !errors.As(got, &e) || e.Code != gridnode.CodeApplication {
				t.Errorf("%s: %#v", kind, got)
			}
		})
	})
}

// W5: an error that passes two hops keeps its code and its text, and says that it is
// remote once.
func TestAnErrorOfASecondHopKeepsItsCodeAndText(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		var p *pair
		relay := func(ctx context.Context, req []byte) ([]byte, error) { return p.back.Request(ctx, hOwn2, req) }
		p = n.pair(t, single(hOwn, relay), single(hOwn2, func(context.Context, []byte) ([]byte, error) {
			return nil, fmt.Errorf("disk 7: %w", errLocked)
		}))
		_, err := p.conn.Request(t.Context(), hOwn, nil)
		wantIs(t, err, errLocked)
		if err == nil || err.Error() != "remote: disk 7: locked" {
			t.Errorf("%v", err)
		}
	})
}

func TestRegisterErrorRefusesWhatWouldBeAmbiguous(t *testing.T) {
	for name, err := range map[string]error{
		"a nil error":        gridnode.RegisterError(7003, nil),
		"a library's code":   gridnode.RegisterError(999, errors.New("x")),
		"code 0":             gridnode.RegisterError(0, errors.New("x")),
		"a taken code":       gridnode.RegisterError(7001, errors.New("x")),
		"a registered error": gridnode.RegisterError(7003, errLocked),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// 24-02-03 960d60401, W5: every way to lose a peer is an ErrDisconnected at the caller,
// for every form of call, and says whether the call can have run.
func TestEveryWayToLoseAPeerIsErrDisconnected(t *testing.T) {
	ways := map[string]func(p *pair){
		"cut":        func(p *pair) { p.link().Cut() },
		"cut short":  func(p *pair) { p.link().CutAfter(3); p.conn.Request(background, hEcho, []byte("x")) },
		"black hole": func(p *pair) { p.link().Stall() },
		"partition":  func(p *pair) { p.link().Partition() },
		"close":      func(p *pair) { p.Stop(p.server) },
		"own close":  func(p *pair) { p.Stop(p.caller) },
	}
	for name, lose := range ways {
		t.Run(name, func(t *testing.T) {
			onEveryLink(t, func(t *testing.T, n *rig) {
				w := n.watchedWith(t, quickDeath())
				st, ch, ended := open(t, w.conn, hWatchTwoWay, nil), openChannels(t, background, w.conn, hWatchOneWay, nil), make(chan error, 1)
				go func() { // ends with the call
					_, err := w.conn.Request(background, hWatchSingle, nil)
					ended <- err
				}()
				for range 3 {
					receive(t, "the handlers run", w.entered)
				}
				conn := w.conn
				lose(w.pair)
				_, err := st.Recv(background)
				errs := map[string]error{"mux": err, "stream": ch.Results(func([]byte) error { return nil }), "single": receive(t, "the call ends", ended)}
				for form, err := range errs {
					if !errors.Is(err, gridnode.ErrDisconnected) || errors.Is(err, gridnode.ErrNotSent) {
						t.Errorf("%s: %v, want ErrDisconnected with the outcome unknown", form, err)
					}
				}
				wantUnreachable(t, name, conn)
				w.link().Resume()
				w.link().Heal()
			})
		})
	}
}

// wantUnreachable checks what calls say while the link is down: not sent, if the way
// of losing it lets no other come up.
func wantUnreachable(t *testing.T, way string, conn *gridnode.Connection) {
	t.Helper()
	switch way {
	case "cut", "cut short":
		return
	case "own close":
		_, err := conn.Request(background, hEcho, nil)
		wantIs(t, err, gridnode.ErrClosed)
		return
	}
	eventually(t, "the connection is down", func() bool { return conn.State() != gridnode.StateConnected })
	_, err := conn.Request(background, hEcho, nil)
	wantIs(t, err, gridnode.ErrNotSent)
	wantIs(t, err, gridnode.ErrDisconnected)
	_, err = conn.OpenMux(background, hEchoMux, nil)
	wantIs(t, err, gridnode.ErrNotSent)
	_, err = conn.NewStream(background, hEchoStream, nil)
	wantIs(t, err, gridnode.ErrNotSent)
}
