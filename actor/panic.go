package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is the cause of an actor that panicked.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine, at the panic
}

// Error gives the value, not the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("actor: panic: %v", e.Value) }

// Unwrap gives the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ErrGoexit is the cause of an actor whose code ended its goroutine with
// runtime.Goexit, as a failing test's FailNow does.
var ErrGoexit = errors.New("actor: goroutine ended by runtime.Goexit")

// Call runs fn and turns a panic into a *PanicError.
func Call(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}
