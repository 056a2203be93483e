package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/actorgrid/actorgrid/mailbox"
)

var errTest = errors.New("test cause")

// ended returns a context that has ended with errTest.
func ended() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errTest)
	return ctx
}

func put(t *testing.T, b *mailbox.Mailbox[int], ms ...int) {
	t.Helper()
	for _, m := range ms {
		if err := b.TryPut(m); err != nil {
			t.Fatalf("TryPut(%d): %v", m, err)
		}
	}
}

func wantGet(t *testing.T, b *mailbox.Mailbox[int], ms ...int) {
	t.Helper()
	for _, want := range ms {
		m, ok, err := b.TryGet()
		if m != want || !ok || err != nil {
			t.Fatalf("TryGet() = %d, %t, %v; want %d", m, ok, err, want)
		}
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func wantStats(t *testing.T, b *mailbox.Mailbox[int], want mailbox.Stats) {
	t.Helper()
	if got := b.Stats(); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
}

func TestMessagesComeOutInOrderWhileTheRingWrapsAndGrows(t *testing.T) {
	for capacity := 1; capacity <= 33; capacity++ {
		b := mailbox.New[int](capacity)
		in, out := 0, 0
		for fill := 1; fill <= capacity; fill++ { // each round wraps at another place
			for range fill {
				put(t, b, in)
				in++
			}
			for range fill {
				wantGet(t, b, out)
				out++
			}
		}
	}
}

func TestCapacityIsExact(t *testing.T) {
	for _, capacity := range []int{0, 1, 2, 3, 4, 5, 8, 100, 1000} {
		t.Run(fmt.Sprintf("capacity=%d", capacity), func(t *testing.T) {
			b := mailbox.New[int](capacity)
			for i := range capacity {
				put(t, b, i)
			}
			wantErr(t, "TryPut into a full mailbox", b.TryPut(-1), mailbox.ErrFull)
			if b.Len() != capacity || b.Cap() != capacity {
				t.Errorf("Len %d, Cap %d", b.Len(), b.Cap())
			}
			for i := range capacity {
				wantGet(t, b, i)
				put(t, b, capacity+i)
				wantErr(t, "TryPut into a full mailbox", b.TryPut(-1), mailbox.ErrFull)
			}
		})
	}
}

func TestZeroValueAndNegativeCapacityTakeNothing(t *testing.T) {
	var zero mailbox.Mailbox[int]
	for name, b := range map[string]*mailbox.Mailbox[int]{"zero": &zero, "negative": mailbox.New[int](-1)} {
		wantErr(t, name, b.TryPut(1), mailbox.ErrFull)
		_, err := b.PutDropOldest(1)
		wantErr(t, name, err, mailbox.ErrFull)
		wantErr(t, name, b.Put(ended(), 1), errTest)
		wantStats(t, b, mailbox.Stats{Full: 3})
		b.Close(nil)
		_, err = b.Get(context.Background())
		wantErr(t, name, err, io.EOF)
	}
}

func TestPutWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mailbox.New[int](1)
		put(t, b, 1)
		done := make(chan error, 1)
		go func() { done <- b.Put(context.Background(), 2) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("Put into a full mailbox returned %v", err)
		default:
		}
		wantGet(t, b, 1)
		wantErr(t, "Put", <-done, nil)
		wantGet(t, b, 2)
		wantStats(t, b, mailbox.Stats{Puts: 2, Gets: 2, Full: 1, MaxLen: 1})
	})
}

func TestGetWaitsForAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mailbox.New[int](1)
		got := make(chan int, 1)
		go func() {
			m, _ := b.Get(context.Background())
			got <- m
		}()
		synctest.Wait()
		put(t, b, 7)
		if m := <-got; m != 7 {
			t.Errorf("Get() = %d", m)
		}
	})
}

// The end of a context never hides what could be had: a reply that is there is given.
func TestEndedContextStillTakesWhatIsThere(t *testing.T) {
	b := mailbox.New[int](1)
	for range 100 {
		wantErr(t, "Put with room", b.Put(ended(), 1), nil)
		wantErr(t, "Put without room", b.Put(ended(), 2), errTest)
		m, err := b.Get(ended())
		if m != 1 || err != nil {
			t.Fatalf("Get() = %d, %v", m, err)
		}
		_, err = b.Get(ended())
		wantErr(t, "Get from an empty mailbox", err, errTest)
	}
}

func TestWaitersReturnTheCauseOfTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		empty, full := mailbox.New[int](1), mailbox.New[int](1)
		put(t, full, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := empty.Get(ctx); errs <- err }()
		go func() { errs <- full.Put(ctx, 2) }()
		synctest.Wait()
		cancel(errTest)
		wantErr(t, "first", <-errs, errTest)
		wantErr(t, "second", <-errs, errTest)
		put(t, empty, 5)
		wantGet(t, empty, 5) // the Get that gave up took nothing
		wantGet(t, full, 1)
		if full.Len() != 0 {
			t.Error("the Put that gave up left its message")
		}
	})
}

func TestPutDropOldestDropsAndCounts(t *testing.T) {
	b := mailbox.New[int](2)
	for i, wantDropped := range []bool{false, false, true, true, true} {
		dropped, err := b.PutDropOldest(i)
		if dropped != wantDropped || err != nil {
			t.Errorf("PutDropOldest(%d) = %t, %v", i, dropped, err)
		}
	}
	wantGet(t, b, 3, 4)
	wantStats(t, b, mailbox.Stats{Puts: 5, Gets: 2, Full: 3, Dropped: 3, MaxLen: 2})
	b.Close(errTest)
	dropped, err := b.PutDropOldest(9)
	if dropped || err != errTest {
		t.Errorf("PutDropOldest after Close = %t, %v", dropped, err)
	}
}

func TestMailboxKeepsNothingAliveThatItHandedOut(t *testing.T) {
	b := mailbox.New[*[64]byte](4)
	var refs []weak.Pointer[[64]byte]
	send := func() {
		m := new([64]byte)
		refs = append(refs, weak.Make(m))
		b.TryPut(m)
	}
	wantGone := func(n int) {
		t.Helper()
		runtime.GC()
		for i, ref := range refs[:n] {
			if ref.Value() != nil {
				t.Errorf("message %d is still reachable", i)
			}
		}
	}
	for range 4 {
		send()
	}
	b.PutDropOldest(nil) // drops the first
	b.TryGet()           // the second
	wantGone(2)
	b.Drain(func(*[64]byte) {})
	wantGone(4)
	runtime.KeepAlive(b)
}
