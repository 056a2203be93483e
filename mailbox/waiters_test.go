package mailbox_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/actorgrid/actorgrid/mailbox"
)

func TestReceiversAreServedFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 8
		b := mailbox.New[int](n)
		var got [n]int
		for i := range n {
			go func() { got[i], _ = b.Get(context.Background()) }()
			synctest.Wait()
		}
		for i := range n {
			put(t, b, 100+i)
			synctest.Wait()
		}
		for i, m := range got {
			if m != 100+i {
				t.Fatalf("got %v", got)
			}
		}
	})
}

func TestSendersAreServedFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 8
		b := mailbox.New[int](1)
		put(t, b, 0)
		for i := 1; i <= n; i++ {
			go func() { b.Put(context.Background(), i) }()
			synctest.Wait()
		}
		for i := 0; i <= n; i++ {
			wantGet(t, b, i)
			synctest.Wait()
		}
	})
}

// Whoever is woken and finds the message taken has not lost its turn. The thief is
// mostly faster, but need not be: then the message went to whose turn it was.
func TestAnOvertakenReceiverKeepsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mailbox.New[int](1)
		var got [3]int
		for i := range got {
			go func() { got[i], _ = b.Get(context.Background()) }()
			synctest.Wait()
		}
		for turn := range got {
			put(t, b, 10+turn)
			b.TryGet()
			synctest.Wait()
			if got[turn] == 0 {
				put(t, b, 20+turn)
				synctest.Wait()
			}
			for i, m := range got {
				if (m != 0) != (i <= turn) {
					t.Fatalf("turn of %d: %v", turn, got)
				}
			}
		}
	})
}

func TestAnOvertakenSenderKeepsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mailbox.New[int](1)
		put(t, b, -1)
		for i := range 3 {
			go func() { b.Put(context.Background(), i) }()
			synctest.Wait()
		}
		for turn := range 3 {
			wantGet(t, b, turn-1)    // wakes whose turn it is
			if b.TryPut(-1) == nil { // took its room
				synctest.Wait()
				wantGet(t, b, -1)
			}
			synctest.Wait()
		}
		wantGet(t, b, 2)
	})
}

// The one that is woken and the end of its context come together: the wake-up must
// reach another, or that one would sleep beside a message.
func TestAWakeUpIsNeverLostToAnEndedContext(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			b := mailbox.New[int](1)
			ctx, cancel := context.WithCancel(t.Context())
			got := make(chan int, 2)
			for _, ctx := range []context.Context{ctx, t.Context()} {
				go func() {
					if m, err := b.Get(ctx); err == nil {
						got <- m
					}
				}()
				synctest.Wait()
			}
			cancel() // from here the first one's select is decided, but it has yet to run
			put(t, b, 1)
			if m := <-got; m != 1 {
				t.Errorf("got %d", m)
			}
			b.Close(nil)
		})
	}
}

// Channels made in one bubble must not turn up in another, nor outside.
func TestMailboxesOfDifferentBubblesShareNothing(t *testing.T) {
	waitOnce := func(t *testing.T) {
		b, full := mailbox.New[int](1), mailbox.New[int](1)
		put(t, full, 1)
		var window mailbox.Credit
		done := make(chan struct{}, 3)
		go func() { b.Get(context.Background()); done <- struct{}{} }()
		go func() { full.Put(context.Background(), 2); done <- struct{}{} }()
		go func() { window.Take(context.Background()); done <- struct{}{} }()
		synctest.Wait()
		put(t, b, 7)
		full.TryGet()
		window.Return(1)
		for range 3 {
			<-done
		}
	}
	for range 8 {
		synctest.Test(t, waitOnce)
	}
}
