package gridnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/actorgrid/actorgrid/frames"
)

// Code tells how a call ended. Codes below 1000 belong to the library; the
// application registers its own with [RegisterError].
type Code = frames.Code

// The codes that a caller can meet in an [Error].
const (
	CodeCanceled         = frames.CodeCanceled         // the call was cancelled
	CodeDeadlineExceeded = frames.CodeDeadlineExceeded // its time ran out
	CodeUnknownHandler   = frames.CodeUnknownHandler   // the peer has no such handler
	CodeOverloaded       = frames.CodeOverloaded       // a documented limit was reached
	CodeDisconnected     = frames.CodeDisconnected     // the connection was lost, the outcome is unknown
	CodeNotSent          = frames.CodeNotSent          // there was no connection, nothing was sent
	CodeClosed           = frames.CodeClosed           // this node or the peer is closed or draining
	CodeMessageTooLarge  = frames.CodeMessageTooLarge  // a message exceeds Config.MaxMessage of either side
	CodeProtocol         = frames.CodeProtocol         // a peer broke the protocol
	CodeInternal         = frames.CodeInternal         // the handler panicked
	CodeApplication      = frames.CodeApplication      // the handler returned an error without a code
	CodeOverloadedWithin = frames.CodeOverloadedWithin // the handler ran, and a call of its own was overloaded; an ErrOverloaded too
)

// minApplicationCode is the lowest code that RegisterError accepts.
const minApplicationCode Code = 1000

// maxErrorText bounds the text of an error on the wire, in bytes. Longer texts
// are cut.
const maxErrorText = 16 << 10

// maxLoggedText bounds the text of a peer in the log, in bytes.
const maxLoggedText = 512

// Error is the one error type that calls end with. Match it with [errors.Is]
// against the sentinels below, [context.Canceled], [context.DeadlineExceeded] or
// an error registered with [RegisterError]; never by its text.
type Error struct {
	Code    Code
	Message string
	Remote  bool // true: the peer said so; false: this node found out by itself

	cause error // what Unwrap returns; never crosses the wire
}

// Sentinels. ErrNotSent is also an ErrDisconnected: the call certainly did not
// reach the peer, where a plain ErrDisconnected leaves the outcome unknown.
var (
	ErrDisconnected    error = &Error{Code: CodeDisconnected, Message: "disconnected"}
	ErrNotSent         error = &Error{Code: CodeNotSent, Message: "disconnected, not sent"}
	ErrUnknownHandler  error = &Error{Code: CodeUnknownHandler, Message: "unknown handler"}
	ErrOverloaded      error = &Error{Code: CodeOverloaded, Message: "overloaded"}
	ErrClosed          error = &Error{Code: CodeClosed, Message: "closed"}
	ErrMessageTooLarge error = &Error{Code: CodeMessageTooLarge, Message: "message too large"}
	ErrProtocol        error = &Error{Code: CodeProtocol, Message: "protocol error"}
	ErrPanic           error = &Error{Code: CodeInternal, Message: "handler panicked"}

	// ErrHandlerExists is what the Register functions return for an ID and
	// subroute that is taken.
	ErrHandlerExists = errors.New("handler exists")
)

func (e *Error) Error() string {
	if e.Remote {
		return "remote: " + e.Message
	}
	return e.Message
}

// Unwrap returns the local cause, if there is one: what broke the connection, say.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is work for the sentinels, the context errors and registered
// errors, on whichever side of the wire the error was made.
func (e *Error) Is(target error) bool {
	if e.Code < minApplicationCode {
		return e.isSentinel(target)
	}
	if t, ok := target.(*Error); ok && t.Code == e.Code {
		return true
	}
	registered := applicationErrors.byCode(e.Code)
	return registered != nil && errors.Is(registered, target)
}

// isSentinel is Is for the package's own codes.
func (e *Error) isSentinel(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == CodeCanceled
	case context.DeadlineExceeded:
		return e.Code == CodeDeadlineExceeded
	}
	t, ok := target.(*Error)
	return ok && (t.Code == e.Code && e.Code != CodeApplication ||
		t.Code == CodeDisconnected && e.Code == CodeNotSent || t.Code == CodeOverloaded && e.Code == CodeOverloadedWithin)
}

// As fills target with the registered error of the same type, if there is one.
func (e *Error) As(target any) bool {
	if e.Code < minApplicationCode {
		return false
	}
	registered := applicationErrors.byCode(e.Code)
	return registered != nil && errors.As(registered, target)
}

// Timeout reports whether the call ran out of time, as net.Error has it.
func (e *Error) Timeout() bool { return e.Code == CodeDeadlineExceeded }

// errorTable maps application errors to codes and back. It is process-wide
// because errors.Is has no node to ask; it only ever grows.
type errorTable struct {
	mu     sync.RWMutex
	errs   []error
	codes  []Code
	lookup map[Code]error
}

var applicationErrors errorTable

// RegisterError gives err a code (1000 or above), the same on every node, so that
// errors.Is(got, err) holds at the caller when a handler returns err or wraps it.
// It fails if the code is out of range or either is registered already. It may be
// called at any time, from any goroutine.
func RegisterError(code Code, err error) error {
	if err == nil {
		return errors.New("gridnode: RegisterError: err is nil")
	}
	if code < minApplicationCode {
		return fmt.Errorf("gridnode: RegisterError: code %d is below %d", code, minApplicationCode)
	}
	return applicationErrors.add(code, err)
}

func (t *errorTable) add(code Code, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.lookup[code]; old != nil {
		return fmt.Errorf("gridnode: RegisterError: code %d is taken by %q", code, old)
	}
	for i, known := range t.errs {
		if sameError(known, err) {
			return fmt.Errorf("gridnode: RegisterError: %q has code %d already", err, t.codes[i])
		}
	}
	if t.lookup == nil {
		t.lookup = make(map[Code]error)
	}
	t.lookup[code] = err
	t.errs = append(t.errs, err)
	t.codes = append(t.codes, code)
	return nil
}

// sameError compares without panicking on uncomparable error types.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}

func (t *errorTable) byCode(code Code) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.lookup[code]
}

// codeOf asks err without the lock: err may ask the table, as an Error does, and a lock
// for reading must not be taken twice. What is in the table stays as it is.
func (t *errorTable) codeOf(err error) (Code, bool) {
	t.mu.RLock()
	errs, codes := t.errs, t.codes
	t.mu.RUnlock()
	for i, known := range errs {
		if errors.Is(err, known) {
			return codes[i], true
		}
	}
	return 0, false
}

// statusOf turns what a handler returned into what goes on the wire.
func statusOf(err error) (Code, string) {
	if err == nil {
		return frames.CodeOK, ""
	}
	return statusCode(err), statusText(err)
}

// settle asks a handler's error all that will be asked of it: if that panics, it is
// where a panic is the handler's, and its caller is told.
func settle(err error) error {
	if err == nil {
		return nil
	}
	code, text := statusOf(err)
	return &Error{Code: code, Message: text, cause: err}
}

// ranInto is settle for a single, whose caller may try again what an overload has kept
// from running. That a call of the handler's own was overloaded says nothing of the kind;
// an ErrOverloaded that the handler has made does.
func ranInto(err error) error {
	if err == nil {
		return nil
	}
	settled := settle(err)
	var of *Error // on the heap: not in a call that goes well
	if e, ok := settled.(*Error); ok && e.Code == CodeOverloaded && errors.As(err, &of) && (of.Remote || of.cause != nil) {
		e.Code = CodeOverloadedWithin
	}
	return settled
}

// errBudget is the cause of every ErrOverloaded that this node finds in what it receives.
var errBudget = errors.New("receive budget")

// overBudget is the error of a message for which there is no room.
func overBudget(format string, args ...any) *Error {
	err := errorf(CodeOverloaded, "overloaded: "+format, args...)
	err.cause = errBudget
	return err
}

func statusCode(err error) Code {
	if code, ok := applicationErrors.codeOf(err); ok {
		return code
	}
	var e *Error
	switch {
	case errors.As(err, &e) && e.Code == CodeNotSent:
		return CodeDisconnected // a call of the handler's own: the caller's did arrive here
	case errors.As(err, &e) && e.Code != frames.CodeOK:
		return e.Code
	case errors.Is(err, context.Canceled):
		return CodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return CodeDeadlineExceeded
	}
	return CodeApplication
}

// statusText is the text of err, without the prefix that it got at an earlier hop.
func statusText(err error) string {
	text := err.Error()
	if e, ok := err.(*Error); ok {
		text = e.Message
	}
	return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
}

// remoteError is the inverse of statusOf; it is never called with CodeOK. That this
// call was not sent is nothing that a peer can say.
func remoteError(code Code, text string) *Error {
	if code == CodeNotSent {
		code = CodeDisconnected
	}
	return &Error{Code: code, Message: text, Remote: true}
}

// ended is the error of a call whose context has ended: the context's own error,
// or one that is both it and the cause that the caller gave.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || cause == err {
		return err
	}
	code := CodeCanceled
	if err == context.DeadlineExceeded {
		code = CodeDeadlineExceeded
	}
	return &Error{Code: code, Message: textOf(cause), cause: cause}
}

// textOf is the text of an application's error, also of a nil pointer of its type: a
// context may end with one as its cause, where the goroutine is not its owner's.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T without a text", err)
		}
	}()
	return err.Error()
}

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
