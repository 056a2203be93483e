package memnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func wantReset(t *testing.T, cs ...*Conn) {
	t.Helper()
	for _, c := range cs {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("Read = %v, want a reset", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("Write = %v, want a reset", err)
		}
	}
}

func TestCutResetsBothEndsAndKeepsWhatHadArrived(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		write(t, a, []byte("here"))
		n.Link("a", "b").Cut()
		wantRead(t, b, []byte("here"))
		wantReset(t, a, b)
	})
}

func TestCutLosesWhatIsOnItsWay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		link := n.Link("a", "b")
		link.Delay(time.Second)
		write(t, a, []byte("lost"))
		link.Cut()
		wantReset(t, a, b)
		wantArrived(t, b, 0)
	})
}

func TestCutEndsWaitingReadAndWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		link := n.Link("b", "a")
		link.Stall() // first: else the read may get what the write sent
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read = %v", err)
			}
		})
		both.Go(func() {
			if err := fill(b); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Write = %v", err)
			}
		})
		synctest.Wait()
		link.Cut()
		both.Wait()
	})
}

func TestConnectionCanBeMadeAfterCut(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, _, _ *Conn) {
		n.Link("a", "b").Cut()
		a, b := connect(t, n)
		write(t, a, []byte("again"))
		wantRead(t, b, []byte("again"))
	})
}

func TestCutAfterEveryOffset(t *testing.T) {
	data := pattern(50)
	for offset := range len(data) + 1 {
		inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
			n.Link("a", "b").CutAfter(offset)
			for piece := range slices.Chunk(data, 7) {
				if _, err := a.Write(piece); err != nil {
					break
				}
			}
			wantRead(t, b, data[:offset])
			if offset == len(data) {
				wantReset(t, a, b)
				return
			}
			_, err := b.Read(make([]byte, 1))
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("Read after %d bytes = %v", offset, err)
			}
			if got := n.Link("a", "b").Passed(); got != offset {
				t.Fatalf("%d bytes passed, want %d", got, offset)
			}
		})
	}
}

func TestCutAfterCountsBothDirectionsAndWaitsForConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		n.Link("a", "b").CutAfter(7)
		a, b := connect(t, n)
		write(t, a, []byte("1234"))
		write(t, b, []byte("567890"))
		wantRead(t, b, []byte("1234"))
		wantRead(t, a, []byte("567"))
		wantReset(t, a, b)
		a, b = connect(t, n)
		write(t, a, []byte("it happens once"))
		wantRead(t, b, []byte("it happens once"))
	})
}

func TestCutAfterInTheMiddleOfALargeWriteEndsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").CutAfter(1000)
		if _, err := a.Write(pattern(1 << 20)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("Write = %v, want a reset", err)
		}
		wantRead(t, b, pattern(1000))
		wantReset(t, a, b)
	})
}

func TestCutAfterIsCalledOff(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").CutAfter(3)
		n.Link("a", "b").CutAfter(-5)
		write(t, a, []byte("whole"))
		wantRead(t, b, []byte("whole"))
		write(t, b, []byte("whole"))
		wantRead(t, a, []byte("whole"))
	})
}

func TestCorruptInvertsOneByteOfTheReadersOnly(t *testing.T) {
	for nth := 1; nth <= 10; nth++ {
		inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
			n.Link("a", "b").Corrupt(nth)
			mine, want := pattern(10), pattern(10)
			want[nth-1] ^= 0xff
			write(t, a, mine[:4])
			write(t, a, mine[4:])
			wantRead(t, b, want)
			if !bytes.Equal(mine, pattern(10)) {
				t.Fatal("the writer's buffer was changed")
			}
			write(t, a, mine)
			wantRead(t, b, pattern(10))
		})
	}
}

func TestCorruptIsCalledOff(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Corrupt(1)
		n.Link("a", "b").Corrupt(0)
		write(t, a, []byte("sound"))
		wantRead(t, b, []byte("sound"))
	})
}

func TestDelayIsExactForBytesAndTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Delay(3 * time.Second)
		write(t, a, []byte("one"))
		<-time.After(time.Second)
		write(t, a, []byte("two"))
		a.Close()
		wantAfter(t, 2*time.Second, func() { wantRead(t, b, []byte("one")) })
		wantAfter(t, time.Second, func() { wantRead(t, b, []byte("two")) })
		wantAfter(t, 0, func() {
			if _, err := b.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("Read = %v, want EOF", err)
			}
		})
	})
}

func TestPeerLearnsOfCloseAfterTheDelay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Delay(time.Second)
		a.Close()
		write(t, b, []byte("still fits"))
		<-time.After(time.Second)
		synctest.Wait()
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Fatalf("Write = %v, want a broken pipe", err)
		}
	})
}

func TestShorterDelayKeepsTheOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		link := n.Link("a", "b")
		link.Delay(time.Hour)
		write(t, a, []byte("one"))
		link.Delay(time.Second)
		write(t, a, []byte("two"))
		wantAfter(t, time.Second, func() { wantRead(t, b, []byte("onetwo")) })
		link.Delay(time.Hour)
		write(t, a, []byte("three"))
		link.Delay(0)
		wantAfter(t, 0, func() { wantRead(t, b, []byte("three")) })
	})
}

func TestThrottleIsExact(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		var writer sync.WaitGroup
		writer.Go(func() { write(t, a, pattern(100_000)) })
		wantAfter(t, 100*time.Second, func() { wantRead(t, b, pattern(100_000)) })
		writer.Wait()
		<-time.After(time.Minute) // idle time earns nothing
		write(t, a, pattern(2000))
		wantAfter(t, 2*time.Second, func() { wantRead(t, b, pattern(2000)) })
	})
}

func TestThrottledBytesArriveOneByOneWhenItIsSlow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(10)
		write(t, a, pattern(30))
		for i := range 30 {
			wantAfter(t, 100*time.Millisecond, func() { wantRead(t, b, pattern(30)[i:i+1]) })
		}
	})
}

// Small writes do not make a throttled link move crumbs: what waits for the rate only
// arrives in pieces of one size, at the times at which it would have arrived in one write.
func TestThrottledCrumbsArriveTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		for _, crumb := range pattern(25) {
			write(t, a, []byte{crumb})
		}
		for _, piece := range [][2]int{{0, 10}, {10, 20}, {20, 25}} {
			<-time.After(time.Duration(piece[1]-piece[0])*time.Millisecond - 1)
			wantArrived(t, b, 0)
			wantAfter(t, 1, func() { wantRead(t, b, pattern(25)[piece[0]:piece[1]]) })
		}
	})
}

func TestThrottledCrumbsDoNotWaitForDelayedOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		n.Link("a", "b").Delay(time.Second)
		write(t, a, []byte("a"))
		<-time.After(time.Microsecond)
		write(t, a, []byte("b"))
		wantAfter(t, 1001*time.Millisecond-time.Microsecond, func() { wantRead(t, b, []byte("a")) })
		wantAfter(t, time.Millisecond, func() { wantRead(t, b, []byte("b")) })
	})
}

func TestCutAfterInTheMiddleOfThrottledCrumbs(t *testing.T) {
	for offset := range 20 {
		inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
			n.Link("a", "b").Throttle(1000)
			n.Link("a", "b").CutAfter(offset)
			for _, crumb := range pattern(20) {
				write(t, a, []byte{crumb})
			}
			a.CloseWrite()
			wantRead(t, b, pattern(offset))
			wantReset(t, a, b)
		})
	}
}

func TestThrottleIsForEachDirection(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		write(t, a, pattern(5000))
		write(t, b, pattern(5000))
		wantAfter(t, 5*time.Second, func() { wantRead(t, b, pattern(5000)) })
		wantAfter(t, 0, func() { wantRead(t, a, pattern(5000)) })
	})
}

func TestThrottleAndDelayAdd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		n.Link("a", "b").Delay(time.Second)
		write(t, a, pattern(5000))
		wantAfter(t, 6*time.Second, func() { wantRead(t, b, pattern(5000)) })
	})
}

func TestEndOfThrottleLetsTheRestArrive(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Throttle(1000)
		write(t, a, pattern(5000))
		<-time.After(2 * time.Second)
		wantArrived(t, b, 2000)
		n.Link("a", "b").Throttle(0)
		wantArrived(t, b, 5000)
	})
}

func TestStallHoldsEverythingBackUntilResume(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		n.Link("a", "b").Stall()
		write(t, a, []byte("held"))
		a.Close()
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Read over a stalled link = %v", err)
		}
		write(t, b, []byte("nobody knows"))
		b.SetReadDeadline(time.Time{})
		n.Link("a", "b").Resume()
		wantAfter(t, 0, func() { wantRead(t, b, []byte("held")) })
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Fatalf("Write = %v, want a broken pipe", err)
		}
	})
}

func TestStalledWriteWaitsWhenTheWindowIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		n.SetBuffer(1000)
		a, b := connect(t, n)
		n.Link("a", "b").Stall()
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		wrote, err := a.Write(pattern(1500))
		if wrote != 1000 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write = %d, %v; want the window of 1000", wrote, err)
		}
		n.Link("a", "b").Resume()
		wantRead(t, b, pattern(1000))
	})
}

func TestResumeKeepsTheRate(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		link := n.Link("a", "b")
		link.Throttle(1000)
		link.Stall()
		write(t, a, pattern(3000))
		<-time.After(time.Hour)
		link.Resume()
		wantAfter(t, 3*time.Second, func() { wantRead(t, b, pattern(3000)) })
	})
}

func TestPartitionResetsAndRefusesUntilHeal(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		l, err := n.Listen("b:80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n.Link("a", "b").Partition()
		wantReset(t, a, b)
		_, err = n.Host("a").Dial(context.Background(), "tcp", "b:80")
		if !errors.Is(err, syscall.ENETUNREACH) {
			t.Fatalf("Dial = %v, want unreachable", err)
		}
		c, err := n.Host("c").Dial(context.Background(), "tcp", "b:80")
		if err != nil {
			t.Fatalf("Dial over another link: %v", err)
		}
		c.Close()
		n.Link("a", "b").Heal()
		c, err = n.Host("a").Dial(context.Background(), "tcp", "b:80")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}

func TestFaultsStayOnTheirLink(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		for _, other := range []*Link{n.Link("a", "c"), n.Link("b", "c"), n.Link("a", "a")} {
			other.Cut()
			other.CutAfter(0)
			other.Corrupt(1)
			other.Stall()
		}
		write(t, a, []byte("untouched"))
		wantRead(t, b, []byte("untouched"))
	})
}

func TestLinkForgetsConnectionsThatEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network, a, b *Conn) {
		link := n.Link("a", "b")
		link.Delay(time.Hour)
		write(t, a, []byte("x"))
		a.Close()
		if len(link.conns) != 1 {
			t.Fatalf("%d connections, want the half that is open", len(link.conns))
		}
		b.Close()
		if len(link.conns) != 0 {
			t.Fatalf("%d connections are left", len(link.conns))
		}
		if a.out.timer.Stop() {
			t.Error("a timer is left")
		}
	})
}
