package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/actorgrid/actorgrid/mailbox"
)

// message names its sender and its place among that sender's messages.
type message struct{ sender, seq int }

// sendAll sends n messages, waiting or trying by turns, and returns how many were
// accepted before the end.
func sendAll(b *mailbox.Mailbox[message], sender, n int) (accepted int) {
	for seq := range n {
		m := message{sender, seq}
		err := mailbox.ErrFull
		if seq%3 == 0 {
			err = b.TryPut(m)
		}
		if err == mailbox.ErrFull {
			err = b.Put(context.Background(), m)
		}
		if err != nil {
			return seq
		}
	}
	return n
}

// inOrder takes note of messages and reports the first that is lost, doubled or out
// of its sender's order.
type inOrder struct {
	next []int
	err  error
}

func (o *inOrder) see(m message) {
	if m.seq != o.next[m.sender] && o.err == nil {
		o.err = fmt.Errorf("sender %d: message %d, want %d", m.sender, m.seq, o.next[m.sender])
	}
	o.next[m.sender] = m.seq + 1
}

func TestEverySendersMessagesArriveOnceAndInOrder(t *testing.T) {
	for _, senders := range []int{1, 2, 8, 64} {
		for _, capacity := range []int{1, 3, 64} {
			t.Run(fmt.Sprintf("senders=%d/capacity=%d", senders, capacity), func(t *testing.T) {
				const total = 6400
				b := mailbox.New[message](capacity)
				var wg sync.WaitGroup
				for s := range senders {
					wg.Go(func() { sendAll(b, s, total/senders) })
				}
				seen := inOrder{next: make([]int, senders)}
				for range total {
					m, err := b.Get(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					seen.see(m)
				}
				wg.Wait()
				if seen.err != nil || b.Len() != 0 {
					t.Errorf("%v; %d left", seen.err, b.Len())
				}
				if s := b.Stats(); s.Puts != total || s.Gets != total || s.MaxLen > uint64(capacity) {
					t.Errorf("Stats %+v", s)
				}
			})
		}
	}
}

func TestManyReceiversShareTheMessages(t *testing.T) {
	const senders, receivers, each = 4, 8, 1000
	b := mailbox.New[message](5)
	var sending, receiving sync.WaitGroup
	for s := range senders {
		sending.Go(func() { sendAll(b, s, each) })
	}
	var mu sync.Mutex
	seen := map[message]int{}
	for range receivers {
		receiving.Go(func() {
			for {
				m, err := b.Get(context.Background())
				if err != nil {
					return
				}
				mu.Lock()
				seen[m]++
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	b.Close(nil)
	receiving.Wait()
	if len(seen) != senders*each {
		t.Errorf("%d different messages of %d", len(seen), senders*each)
	}
	for m, n := range seen {
		if n != 1 {
			t.Errorf("%v came %d times", m, n)
		}
	}
}

// What a sender was told was accepted is handed out by Get or by Drain, and what it
// was told was not is handed out by neither, whenever the end comes.
func TestTheEndRacesWithSendersWithoutLosingCount(t *testing.T) {
	ends := map[string]func(*mailbox.Mailbox[message]){
		"close":  func(b *mailbox.Mailbox[message]) { b.Close(errTest) },
		"poison": func(b *mailbox.Mailbox[message]) { b.Poison(errTest) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			for round := range 200 {
				if err := raceEnd(end, 1+round%50); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
			}
		})
	}
}

// raceEnd ends a mailbox after the given number of messages.
func raceEnd(end func(*mailbox.Mailbox[message]), after int) error {
	const senders = 4
	b := mailbox.New[message](3)
	var accepted [senders]int
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() { accepted[s] = sendAll(b, s, 100) })
	}
	seen := inOrder{next: make([]int, senders)}
	for n := 1; ; n++ {
		m, err := b.Get(context.Background())
		if err != nil {
			if !errors.Is(err, errTest) {
				return err
			}
			break
		}
		seen.see(m)
		if n == after {
			wg.Go(func() { end(b) })
		}
	}
	wg.Wait()
	b.Drain(seen.see)
	for s, n := range accepted {
		if seen.err == nil && seen.next[s] != n {
			seen.err = fmt.Errorf("sender %d: %d of %d accepted messages came out", s, seen.next[s], n)
		}
	}
	return seen.err
}

// Two actors hand one token to and fro: a lost wake-up would stop both for ever.
func TestNoWakeUpIsLostInAMillionHandovers(t *testing.T) {
	handovers := 1_000_000
	if raceEnabled || testing.Short() {
		handovers = 50_000
	}
	a, b := mailbox.New[int](1), mailbox.New[int](1)
	var wg sync.WaitGroup
	relay := func(in, out *mailbox.Mailbox[int]) {
		for {
			m, err := in.Get(context.Background())
			if err != nil {
				return
			}
			if m == handovers {
				out.Close(nil)
				return
			}
			out.Put(context.Background(), m+1)
		}
	}
	wg.Go(func() { relay(a, b) })
	wg.Go(func() { relay(b, a) })
	a.TryPut(0)
	wg.Wait()
	if got := a.Stats().Gets + b.Stats().Gets; got != uint64(handovers)+1 {
		t.Errorf("%d handovers, want %d", got-1, handovers)
	}
}
