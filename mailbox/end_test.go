package mailbox_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/mailbox"
)

func isDone(b *mailbox.Mailbox[int]) bool {
	select {
	case <-b.Done():
		return true
	default:
		return false
	}
}

func TestCloseLetsTheQueueRunOut(t *testing.T) {
	b := mailbox.New[int](3)
	put(t, b, 1, 2)
	b.Close(errTest)
	wantErr(t, "TryPut", b.TryPut(3), errTest)
	wantErr(t, "Put", b.Put(context.Background(), 3), errTest)
	wantGet(t, b, 1, 2)
	_, ok, err := b.TryGet()
	if ok || err != errTest {
		t.Errorf("TryGet at the end = %t, %v", ok, err)
	}
	_, err = b.Get(context.Background())
	wantErr(t, "Get at the end", err, errTest)
}

func TestCloseWithoutCauseIsEOFForReceiversAndErrClosedForSenders(t *testing.T) {
	for _, cause := range []error{nil, io.EOF} {
		b := mailbox.New[int](1)
		b.Close(cause)
		_, err := b.Get(context.Background())
		wantErr(t, "Get", err, io.EOF)
		wantErr(t, "TryPut", b.TryPut(1), mailbox.ErrClosed)
		wantErr(t, "Cause", b.Cause(), io.EOF)
	}
}

func TestPoisonOvertakesAFullQueue(t *testing.T) {
	b := mailbox.New[int](2)
	put(t, b, 1, 2)
	b.Poison(errTest)
	_, err := b.Get(context.Background())
	wantErr(t, "Get", err, errTest)
	wantErr(t, "TryPut", b.TryPut(3), errTest)
	if b.Len() != 2 {
		t.Errorf("Len() = %d before Drain", b.Len())
	}
	var left []int
	b.Drain(func(m int) { left = append(left, m) })
	if !slices.Equal(left, []int{1, 2}) {
		t.Errorf("Drain handed out %v", left)
	}
	wantStats(t, b, mailbox.Stats{Puts: 2, Dropped: 2, MaxLen: 2})
}

func TestPoisonWithoutCauseIsErrClosed(t *testing.T) {
	b := mailbox.New[int](1)
	b.Poison(nil)
	wantErr(t, "Cause", b.Cause(), mailbox.ErrClosed)
	wantErr(t, "TryPut", b.TryPut(1), mailbox.ErrClosed)
}

func TestFirstEndWinsButPoisonOvertakesClose(t *testing.T) {
	a, z := errors.New("a"), errors.New("z")
	for _, c := range []struct {
		name string
		ends func(b *mailbox.Mailbox[int])
		want error
	}{
		{"close close", func(b *mailbox.Mailbox[int]) { b.Close(a); b.Close(z) }, a},
		{"close poison", func(b *mailbox.Mailbox[int]) { b.Close(a); b.Poison(z) }, z},
		{"poison close", func(b *mailbox.Mailbox[int]) { b.Poison(a); b.Close(z) }, a},
		{"poison poison", func(b *mailbox.Mailbox[int]) { b.Poison(a); b.Poison(z) }, a},
	} {
		b := mailbox.New[int](1)
		done := b.Done()
		c.ends(b)
		wantErr(t, c.name, b.Cause(), c.want)
		<-done
		_, err := b.Get(context.Background())
		wantErr(t, c.name, err, c.want)
	}
}

// A cause is any error, also one that this package uses itself.
func TestOwnErrorsAsCausesMeanNothingElse(t *testing.T) {
	for _, cause := range []error{mailbox.ErrFull, io.EOF, mailbox.ErrClosed} {
		b := mailbox.New[int](2)
		put(t, b, 1)
		b.Poison(cause)
		wantErr(t, "TryPut", b.TryPut(2), cause)
		wantErr(t, "Put", b.Put(context.Background(), 2), cause) // must not wait for room
		if dropped, err := b.PutDropOldest(2); dropped || err != cause {
			t.Errorf("PutDropOldest = %t, %v", dropped, err)
		}
		wantStats(t, b, mailbox.Stats{Puts: 1, MaxLen: 1})
	}
}

func TestEndWakesAllThatWait(t *testing.T) {
	ends := map[string]func(b *mailbox.Mailbox[int]){
		"close":  func(b *mailbox.Mailbox[int]) { b.Close(errTest) },
		"poison": func(b *mailbox.Mailbox[int]) { b.Poison(errTest) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				empty, full := mailbox.New[int](1), mailbox.New[int](1)
				put(t, full, 1)
				const n = 10
				errs := make(chan error, 2*n)
				for range n {
					go func() { _, err := empty.Get(context.Background()); errs <- err }()
					go func() { errs <- full.Put(context.Background(), 2) }()
				}
				synctest.Wait()
				end(empty)
				end(full)
				for range 2 * n {
					wantErr(t, "waiter", <-errs, errTest)
				}
			})
		})
	}
}

func TestDoneIsClosedAtTheEndHoweverLateItIsAskedFor(t *testing.T) {
	early, late := mailbox.New[int](1), mailbox.New[int](1)
	if isDone(early) {
		t.Error("Done before the end")
	}
	wantErr(t, "Cause before the end", early.Cause(), nil)
	early.Close(nil)
	early.Poison(errTest)
	late.Poison(errTest)
	if !isDone(early) || !isDone(late) {
		t.Error("not Done after the end")
	}
	if first, second := late.Done(), late.Done(); first != second {
		t.Error("two calls of Done gave two channels")
	}
}

func TestDrainLetsItsCallbackUseTheMailbox(t *testing.T) {
	b := mailbox.New[int](2)
	put(t, b, 1, 2)
	b.Drain(func(m int) {
		if b.Len() != 0 {
			t.Errorf("Len() = %d within Drain", b.Len())
		}
		b.Poison(errTest)
	})
	wantErr(t, "Cause", b.Cause(), errTest)
}

func TestDrainOfAnOpenMailboxMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mailbox.New[int](2)
		put(t, b, 1, 2)
		errs := make(chan error, 3)
		for i := range 3 {
			go func() { errs <- b.Put(context.Background(), 10+i) }()
		}
		synctest.Wait()
		b.Drain(func(int) {})
		synctest.Wait()
		if len(errs) != 2 || b.Len() != 2 {
			t.Errorf("%d of 3 waiting puts got the room, %d messages queued; want 2 and 2", len(errs), b.Len())
		}
		b.TryGet()
		synctest.Wait()
		if len(errs) != 3 {
			t.Error("the last waiting put was forgotten")
		}
	})
}

// A receiver that stops drops what it has not taken, and says so; a complete end stays.
func TestAbandonKeepsACompleteEnd(t *testing.T) {
	gone := errors.New("gone")
	for _, c := range []struct {
		name   string
		before func(b *mailbox.Mailbox[int])
		want   error
	}{
		{"open", func(*mailbox.Mailbox[int]) {}, gone},
		{"closed, something left", func(b *mailbox.Mailbox[int]) { b.TryPut(1); b.Close(nil) }, gone},
		{"closed, all taken", func(b *mailbox.Mailbox[int]) { b.TryPut(1); b.Close(nil); b.TryGet() }, io.EOF},
		{"poisoned", func(b *mailbox.Mailbox[int]) { b.Poison(io.ErrClosedPipe) }, io.ErrClosedPipe},
	} {
		b := mailbox.New[int](2)
		c.before(b)
		b.Abandon(gone)
		if _, ok, err := b.TryGet(); ok || err != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, ok, err, c.want)
		}
	}
}
