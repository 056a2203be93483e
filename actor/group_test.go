package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/actor"
)

// untilEnd waits for the end of its context and returns it.
func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestGroupWaitsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := actor.NewGroup(t.Context())
		n := 0
		done := make(chan int)
		for range 3 {
			g.Go("worker", func(context.Context) error { n += <-done; return nil })
		}
		go func() {
			for range 3 {
				done <- 1
				synctest.Wait()
			}
		}()
		wantErr(t, "Wait", g.Wait(), nil)
		if n != 3 {
			t.Errorf("%d have ended", n)
		}
	})
}

func TestGroupFirstErrorEndsAllAndIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := actor.NewGroup(t.Context())
		causes := make(chan error, 1)
		g.Go("bystander", func(ctx context.Context) error {
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return errors.New("second")
		})
		g.Go("culprit", func(context.Context) error { return errTest })
		err := g.Wait()
		if !errors.Is(err, errTest) || !strings.HasPrefix(err.Error(), "culprit: ") {
			t.Errorf("Wait: %v", err)
		}
		wantErr(t, "the bystander's cause", <-causes, err)
	})
}

func TestGroupPoisonEndsAll(t *testing.T) {
	for _, c := range []struct{ cause, want error }{{errTest, errTest}, {nil, context.Canceled}} {
		g := actor.NewGroup(context.Background())
		g.Go("a", untilEnd)
		g.Go("b", untilEnd)
		g.Poison(c.cause)
		g.Poison(errors.New("second"))
		wantErr(t, "Wait", g.Wait(), c.want)
	}
}

func TestGroupEndsWithItsParent(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	g := actor.NewGroup(parent)
	g.Go("a", untilEnd)
	cancel(errTest)
	wantErr(t, "Wait", g.Wait(), errTest)
}

func TestGroupTurnsPanicIntoError(t *testing.T) {
	g := actor.NewGroup(context.Background())
	g.Go("careless", func(context.Context) error { panic(errTest) })
	err := g.Wait()
	var p *actor.PanicError
	if !errors.As(err, &p) {
		t.Fatalf("Wait: %v", err)
	}
	if p.Value != errTest || !errors.Is(err, errTest) || !strings.Contains(string(p.Stack), "TestGroupTurnsPanicIntoError") {
		t.Errorf("value %v, stack %s", p.Value, p.Stack)
	}
	if got := err.Error(); got != "careless: actor: panic: test cause" {
		t.Errorf("Error() = %q", got)
	}
}

func TestGroupTurnsGoexitIntoError(t *testing.T) {
	g := actor.NewGroup(context.Background())
	g.Go("leaver", func(context.Context) error { runtime.Goexit(); return nil })
	if err := g.Wait(); !errors.Is(err, actor.ErrGoexit) {
		t.Errorf("Wait: %v", err)
	}
}
