package gridnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/actorgrid/actorgrid/frames"
)

// errTestStock and stockError are registered once per process: the table only grows,
// and tests may run more than once.
var errTestStock = errors.New("out of stock")

// errTestBusy is more than one thing to who asks.
var errTestBusy = fmt.Errorf("shop: %w, %w", ErrOverloaded, context.DeadlineExceeded)

type stockError struct{ Item string }

func (e *stockError) Error() string { return "no " + e.Item }

const (
	codeTestStock Code = 1_000_001 + iota
	codeTestTyped
	codeTestBusy
)

var testRegistered = errors.Join(
	RegisterError(codeTestStock, errTestStock),
	RegisterError(codeTestTyped, &stockError{Item: "registered"}),
	RegisterError(codeTestBusy, errTestBusy),
)

// overTheWire is what a caller gets when a handler returns err.
func overTheWire(err error) *Error { return remoteError(statusOf(err)) }

func TestErrorsSurviveTheWire(t *testing.T) {
	if testRegistered != nil {
		t.Fatal(testRegistered)
	}
	for _, c := range []struct {
		name    string
		err     error
		is      error
		message string
	}{
		{"plain", errors.New("disk on fire"), nil, "disk on fire"},
		{"cancelled", context.Canceled, context.Canceled, "context canceled"},
		{"deadline", context.DeadlineExceeded, context.DeadlineExceeded, "context deadline exceeded"},
		{"wrapped deadline", fmt.Errorf("db: %w", context.DeadlineExceeded), context.DeadlineExceeded, "db: context deadline exceeded"},
		{"sentinel", ErrOverloaded, ErrOverloaded, "overloaded"},
		{"wrapped sentinel", fmt.Errorf("shard 3: %w", ErrOverloaded), ErrOverloaded, "shard 3: overloaded"},
		{"unknown handler", ErrUnknownHandler, ErrUnknownHandler, "unknown handler"},
		{"too large", ErrMessageTooLarge, ErrMessageTooLarge, "message too large"},
		{"closed", ErrClosed, ErrClosed, "closed"},
		{"disconnected", ErrDisconnected, ErrDisconnected, "disconnected"},
		{"panic", ErrPanic, ErrPanic, "handler panicked"},
		{"registered", errTestStock, errTestStock, "out of stock"},
		{"registered", errTestBusy, errTestBusy, "shop: overloaded, context deadline exceeded"},
		{"sentinel within a registered one", errTestBusy, ErrOverloaded, "shop: overloaded, context deadline exceeded"},
		{"context's within a registered one", errTestBusy, context.DeadlineExceeded, "shop: overloaded, context deadline exceeded"},
		{"wrapped registered", fmt.Errorf("item 7: %w", errTestStock), errTestStock, "item 7: out of stock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := overTheWire(c.err)
			if !got.Remote || got.Message != c.message || got.Error() != "remote: "+c.message {
				t.Errorf("came back as %#v", got)
			}
			if c.is != nil && !errors.Is(got, c.is) {
				t.Errorf("%v is not %v any more", got, c.is)
			}
		})
	}
}

func TestErrorsAreNothingElse(t *testing.T) {
	targets := []error{
		context.Canceled, context.DeadlineExceeded, ErrDisconnected, ErrNotSent, ErrUnknownHandler, ErrOverloaded,
		ErrClosed, ErrMessageTooLarge, ErrProtocol, ErrPanic, errTestStock, ErrHandlerExists, ErrNoQuorum,
	}
	for i, err := range targets[:11] {
		got := overTheWire(err)
		for j, target := range targets {
			want := i == j
			if err == ErrNotSent { // of the handler's own call: see TestARelayedNotSent...
				want = target == ErrDisconnected
			}
			if errors.Is(got, target) != want {
				t.Errorf("errors.Is(%v, %v) is %v", got, target, !want)
			}
		}
	}
	plain := overTheWire(errors.New("x"))
	for _, target := range append(targets, overTheWire(errors.New("x"))) {
		if errors.Is(plain, target) {
			t.Errorf("an error without a code is %v", target)
		}
	}
}

func TestNotSentIsDisconnectedAndNotTheOtherWayRound(t *testing.T) {
	if err := notSent(errors.New("x")); !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrDisconnected) {
		t.Error(err)
	}
	if err := lostError("http://b:1", errors.New("x")); errors.Is(err, ErrNotSent) || !errors.Is(err, ErrDisconnected) {
		t.Error(err)
	}
}

func TestALostSessionKeepsItsLocalCause(t *testing.T) {
	cause := errors.New("connection reset")
	if err := lostError("http://b:1", cause); !errors.Is(err, cause) || !errors.Is(notSent(err), cause) {
		t.Error("the cause is lost")
	}
	if lostError("http://b:1", nil) == nil {
		t.Error("a session that ends without an error is still lost")
	}
}

func TestErrorsAsFindsARegisteredType(t *testing.T) {
	known := applicationErrors.byCode(codeTestTyped)
	got := overTheWire(fmt.Errorf("shelf 9: %w", known))
	var typed *stockError
	if !errors.As(got, &typed) || typed.Item != "registered" {
		t.Errorf("%v gives %v", got, typed)
	}
	var asError *Error
	if !errors.As(fmt.Errorf("w: %w", got), &asError) || asError.Code != codeTestTyped {
		t.Errorf("%v", asError)
	}
	if errors.As(overTheWire(errTestStock), &typed) {
		t.Error("an error of another type passes for a stockError")
	}
}

func TestAnUnknownApplicationCodeIsKept(t *testing.T) {
	got := remoteError(999_999_999, "from a newer peer")
	if got.Code != 999_999_999 || errors.Is(got, errTestStock) {
		t.Errorf("%#v", got)
	}
}

func TestARelayedErrorKeepsItsTextAndCode(t *testing.T) {
	for _, err := range []error{errors.New("plain"), ErrOverloaded, errTestStock} {
		once := overTheWire(err)
		twice := overTheWire(once)
		if twice.Message != once.Message || twice.Code != once.Code {
			t.Errorf("%#v became %#v at the second hop", once, twice)
		}
	}
}

func TestARelayedNotSentIsNotThisCallsNotSent(t *testing.T) {
	// The handler ran, and its own call to a third node was not sent. The outer call
	// did reach its peer.
	if got := overTheWire(ErrNotSent); errors.Is(got, ErrNotSent) && (Retry{}).allows(got) {
		t.Errorf("%v would be retried as if the peer had not seen it", got)
	}
}

func TestLongErrorTextsAreCutAtACharacter(t *testing.T) {
	got := overTheWire(errors.New(strings.Repeat("é", maxErrorText)))
	if n := len(got.Message); n > maxErrorText || n < maxErrorText-4 || !utf8.ValidString(got.Message) {
		t.Errorf("%d bytes, valid %v", len(got.Message), utf8.ValidString(got.Message))
	}
}

func TestNoErrorIsOK(t *testing.T) {
	if code, text := statusOf(nil); code != frames.CodeOK || text != "" {
		t.Error(code, text)
	}
	if code, _ := statusOf(&Error{Message: "zero code"}); code == frames.CodeOK {
		t.Error("an error passes for success")
	}
}

type uncomparable struct{ parts []string }

func (e uncomparable) Error() string { return strings.Join(e.parts, " ") }

func TestRegisterErrorSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   Code
		err    error
		reason string
	}{
		{"nil error", codeTestStock + 100, nil, "nil"},
		{"library code", CodeOverloaded, errors.New("x"), "below 1000"},
		{"just below", 999, errors.New("x"), "below 1000"},
		{"code taken", codeTestStock, errors.New("x"), "taken by \"out of stock\""},
		{"error taken", codeTestStock + 101, errTestStock, "has code"},
	} {
		if err := RegisterError(c.code, c.err); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestUncomparableErrorsDoNotPanic(t *testing.T) {
	var table errorTable
	a, b := uncomparable{[]string{"a"}}, uncomparable{[]string{"b"}}
	if err := errors.Join(table.add(1001, a), table.add(1002, b)); err != nil {
		t.Fatal(err)
	}
	if code, ok := table.codeOf(b); ok {
		t.Errorf("an error that equals nothing has code %d", code)
	}
}

// A handler relays an error that came with a registered code, whose Is asks the table
// again, while the application registers more.
func TestErrorsMayBeRegisteredWhileOthersAreRelayed(t *testing.T) {
	const relayed = 20_000
	var relays sync.WaitGroup
	relays.Go(func() {
		err := overTheWire(errTestStock)
		for range relayed {
			if code, _ := statusOf(err); code != codeTestStock {
				t.Errorf("code %d", code)
				return
			}
		}
	})
	for range relayed {
		if err := RegisterError(codeTestStock, errTestStock); err == nil { // as long under the lock as a new one
			t.Error("registered twice")
		}
	}
	relays.Wait()
}

func TestTheEndOfAContextKeepsItsCause(t *testing.T) {
	why := errors.New("user went away")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if err := ended(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Error(err)
	}
	ctx, cancel2 := context.WithTimeoutCause(context.Background(), 0, why)
	defer cancel2()
	if err := ended(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, why) || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel3 := context.WithCancel(context.Background())
	cancel3()
	if err := ended(ctx); err != context.Canceled {
		t.Error(err)
	}
	var none *stockError // a nil pointer whose Error panics
	ctx, cancel4 := context.WithCancelCause(context.Background())
	cancel4(none)
	if err := ended(ctx); !errors.Is(err, context.Canceled) || err.Error() == "" {
		t.Error(err)
	}
}

func TestTimeoutIsWhatNetErrorMeans(t *testing.T) {
	if !overTheWire(context.DeadlineExceeded).Timeout() || overTheWire(context.Canceled).Timeout() {
		t.Error("Timeout does not tell a deadline from a cancellation")
	}
}
