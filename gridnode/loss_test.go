package gridnode

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// A call ends in one way: one that was lost, or not sent, has neither run out of time nor
// been cancelled or refused, whatever ended the connection. What was lost may have run,
// so that it is not retried as what was refused is.
func TestALostCallHasNotEndedOtherwise(t *testing.T) {
	for _, reason := range []error{context.Canceled, fmt.Errorf("dial: %w", context.DeadlineExceeded), errorf(CodeOverloaded, "overloaded: nobody reads")} {
		for _, err := range []error{lostError("http://b:1", reason), notSent(reason), notSent(lostError("http://b:1", reason))} {
			for _, other := range []error{context.Canceled, context.DeadlineExceeded, ErrOverloaded} {
				if errors.Is(err, other) {
					t.Errorf("%v is %v", err, other)
				}
			}
		}
		if err := lostError("http://b:1", reason); (Retry{}).allows(err) {
			t.Errorf("%v would be retried, and may have run", err)
		}
	}
}
