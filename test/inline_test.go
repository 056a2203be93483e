package test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func inline(id gridnode.HandlerID, h gridnode.SingleHandler, subroute ...string) gridtest.Option {
	return gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterSingleInline(id, h, subroute...) })
}

// What is called by the reader answers like any other, whatever the sizes.
func TestAnInlineHandlerAnswersLikeAnyOther(t *testing.T) {
	sizes := []int{0, 1, 600, 4096, 4097, 64 << 10, 64<<10 + 1, 300_000}
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t,
			inline(hOwn, echo),
			inline(hOwn2, func(_ context.Context, req []byte) ([]byte, error) {
				return patterned(int(numberOf(req)), 7), nil
			}))
		for _, size := range sizes {
			msg := patterned(size, 3)
			if resp, err := p.conn.Request(t.Context(), hOwn, msg); err != nil || !bytes.Equal(resp, msg) {
				t.Errorf("%d bytes there and back: %d, %v", size, len(resp), err)
			}
			resp, err := p.conn.Request(t.Context(), hOwn2, numbered(size))
			if err == nil {
				err = intact(resp, size, 7)
			}
			if err != nil {
				t.Errorf("%d bytes back: %v", size, err)
			}
		}
	})
}

// It is registered like any other, too.
func TestAnInlineHandlerIsRegisteredLikeAnyOther(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n *rig) {
		p := n.pair(t, inline(hOwn, func(ctx context.Context, _ []byte) ([]byte, error) {
			caller, _ := gridnode.Caller(ctx)
			_, limited := ctx.Deadline()
			return fmt.Appendf(nil, "%s %v", caller, limited), nil
		}, "a", "b"))
		resp, err := p.conn.Subroute("a/b").Request(t.Context(), hOwn, nil)
		if want := p.Node(p.caller).Local() + " false"; err != nil || string(resp) != want {
			t.Errorf("%q, %v; want %q", resp, err, want)
		}
		fresh := newNode(t)
		if err := fresh.RegisterSingleInline(hOwn, nil); err == nil || !strings.Contains(err.Error(), "no function") {
			t.Errorf("no function: %v", err)
		}
		if err := fresh.RegisterSingleInline(0, echo); err == nil {
			t.Error("handler 0")
		}
	})
}

// An error, a panic and a response that is too large end that call only.
func TestPromise10AnInlineHandlerFailsItsCallOnly(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		var log logLines
		p := n.pair(t, log.option(), config(func(cfg *gridnode.Config) { cfg.MaxMessage = 1 << 20 }),
			inline(hOwn, func(_ context.Context, req []byte) ([]byte, error) {
				switch string(req) {
				case "error":
					return nil, fmt.Errorf("disk 7: %w", errLocked)
				case "panic":
					panic("broken")
				case "nil error":
					var none *typedError
					return nil, none
				case "too large":
					return make([]byte, 1<<20+1), nil
				}
				return req, nil
			}))
		others := make(chan error, 1)
		go func() { // ends with its calls
			var err error
			for i := 0; i < 200 && err == nil; i++ {
				_, err = p.conn.Request(background, hEcho, numbered(i))
			}
			others <- err
		}()
		for range 20 {
			for req, want := range map[string]error{
				"error": errLocked, "panic": gridnode.ErrPanic, "nil error": gridnode.ErrPanic, "too large": gridnode.ErrMessageTooLarge,
			} {
				_, err := p.conn.Request(t.Context(), hOwn, []byte(req))
				wantIs(t, err, want)
			}
		}
		if err := receive(t, "the other calls", others); err != nil {
			t.Error(err)
		}
		eventually(t, "40 panics in the log", func() bool { return log.count("handler panicked") == 40 }) // by workers
	})
}

// A handler may change its request and append to it: what lies behind it in the
// reader's buffer are other requests.
func TestAnInlineHandlerHasItsRequestOnly(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t, inline(hOwn, func(_ context.Context, req []byte) ([]byte, error) {
			who, size := req[0], len(req)
			if err := intact(req, size, int(who)); err != nil {
				return nil, err
			}
			fill(req, who+1)
			return append(req, fill(make([]byte, 50), who+1)...), nil
		}))
		var callers sync.WaitGroup
		for who := range 32 {
			callers.Go(func() {
				for i := range 40 {
					size := 1 + (i*who)%700
					resp, err := p.conn.Request(t.Context(), hOwn, patterned(size, who))
					if err == nil {
						err = intact(resp, size+50, who+1)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
	})
}

// Where answers have to wait, for room in the queue or in the window, they do, and the
// reader goes on; each call is served once, and those that are cancelled leave nothing.
func TestTheAnswersOfInlineHandlersWaitForRoom(t *testing.T) {
	request := func(i, _ int) []byte { return numbered(i) }
	echoed := func(i, size int) []byte { return patterned(size, i) }
	for name, c := range map[string]struct {
		size    int
		request func(i, size int) []byte
	}{
		"small": {3_000, request}, "bulk": {40_000, request}, "fragments": {150_000, request},
		"small echo": {3_000, echoed}, "bulk echo": {40_000, echoed},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryNetwork(t, func(t *testing.T, n *rig) {
				var served atomic.Int64
				p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.QueueLimit = 64 << 10 }),
					inline(hOwn, func(_ context.Context, req []byte) ([]byte, error) {
						served.Add(1)
						if len(req) == c.size {
							return req, nil
						}
						return patterned(c.size, int(numberOf(req))), nil
					}))
				const calls = 300 / underRace
				ctx, cancel := context.WithCancel(t.Context())
				var callers sync.WaitGroup
				for i := range calls {
					callers.Go(func() {
						ctx := ctx
						if i%3 > 0 {
							ctx = t.Context()
						}
						resp, err := p.conn.Request(ctx, hOwn, c.request(i%100, c.size))
						if err == nil {
							err = intact(resp, c.size, i%100)
						}
						if i%3 == 0 && err != nil {
							wantIs(t, err, context.Canceled)
						} else if err != nil {
							t.Error(err)
						}
						if i == 1 {
							cancel()
						}
					})
				}
				callers.Wait()
				cancel()
				if n := served.Load(); n > calls {
					t.Errorf("%d calls, served %d times", calls, n)
				}
				wantEcho(t, p.conn, "afterwards")
			})
		})
	}
}

// heldLog is a log whose first line about a panic waits until it is let go.
type heldLog struct {
	held chan struct{}
	free chan struct{}
}

func (l *heldLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *heldLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *heldLog) WithGroup(string) slog.Handler            { return l }

func (l *heldLog) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "panicked") {
		l.held <- struct{}{}
		<-l.free
	}
	return nil
}

// A log that hangs does not hold up the reader in which a handler has panicked.
func TestAnInlinePanicDoesNotWaitForTheLog(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		log := &heldLog{make(chan struct{}, 1), make(chan struct{})}
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.Logger = slog.New(log) }),
			inline(hOwn, func(context.Context, []byte) ([]byte, error) { panic("broken") }))
		_, err := p.conn.Request(t.Context(), hOwn, nil)
		wantIs(t, err, gridnode.ErrPanic)
		receive(t, "the line of the panic", log.held)
		wantEcho(t, p.conn, "while the log hangs")
		close(log.free)
	})
}
