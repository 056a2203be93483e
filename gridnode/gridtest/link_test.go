package gridtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// onWires runs a test of bare bytes over both kinds of link.
func onWires(t *testing.T, run func(t *testing.T, kind gridtest.Network, w *wires)) {
	t.Helper()
	on(t, links, func(t *testing.T, kind gridtest.Network) { run(t, kind, newWires(t, kind)) })
}

func TestStallHoldsAllThatIsSentAndResumeDeliversItInOrder(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		write(t, a, []byte("before"))
		wantRead(t, b, []byte("before"))
		w.Stall()
		there, back := pattern(30_000), pattern(40_000)[10_000:]
		write(t, a, there[:1])
		write(t, a, there[1:])
		write(t, b, back)
		wantSilence(t, a)
		wantSilence(t, b)
		w.Resume()
		wantRead(t, a, back)
		wantRead(t, b, there)
		write(t, a, []byte("after"))
		wantRead(t, b, []byte("after"))
	})
}

func TestStallHoldsTheEndOfAConnection(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		for _, last := range []string{"", "last words"} {
			a, b := w.connect(t)
			for _, way := range [][2]net.Conn{{a, b}, {b, a}} { // the link is idle after that, not new
				write(t, way[0], []byte("hello"))
				wantRead(t, way[1], []byte("hello"))
			}
			w.Stall()
			write(t, a, []byte(last))
			a.Close()
			wantSilence(t, b)
			w.Resume()
			if got, err := io.ReadAll(b); string(got) != last || err != nil {
				t.Errorf("after Resume %q, %v, want %q", got, err, last)
			}
		}
	})
}

func TestAStalledLinkTakesInNoMoreThanItsBuffers(t *testing.T) {
	onWires(t, func(t *testing.T, kind gridtest.Network, w *wires) {
		limit := 64 << 10
		a, b := w.connect(t)
		if kind == gridtest.TCP {
			limit = 768 << 10 // what kernels take for buffers of 64 KiB
			a.(*net.TCPConn).SetWriteBuffer(64 << 10)
		}
		w.Stall()
		sent := pattern(8 << 20)
		a.SetWriteDeadline(time.Now().Add(2 * aWhile))
		n, err := a.Write(sent)
		if !errors.Is(err, os.ErrDeadlineExceeded) || n > limit {
			t.Errorf("%d bytes were taken, %v; want at most %d", n, err, limit)
		}
		w.Resume()
		wantRead(t, b, sent[:n])
	})
}

func TestAStalledLinkLetsNoneDialUntilResume(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		w.Stall()
		ctx, cancel := context.WithTimeout(t.Context(), aWhile)
		defer cancel()
		if conn, err := w.tryDial(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a dial over a stalled link: %v, %v", conn, err)
		}
		dialled := make(chan error)
		go func() { // ends when the dial does
			conn, err := w.tryDial(context.Background())
			if err == nil {
				conn.Close()
			}
			dialled <- err
		}()
		w.Resume()
		if err := <-dialled; err != nil {
			t.Error(err)
		}
	})
}

func TestDelayMakesEveryByteAndTheEndArriveLater(t *testing.T) {
	onWires(t, func(t *testing.T, kind gridtest.Network, w *wires) {
		const delay = 30 * time.Millisecond
		a, b := w.connect(t)
		w.Delay(delay)
		late := func(what string, start time.Time) {
			t.Helper()
			took := time.Since(start)
			if took < delay || kind == gridtest.Memory && took != delay {
				t.Errorf("%s arrives after %v, want %v", what, took, delay)
			}
		}
		start := time.Now()
		write(t, a, []byte("first"))
		write(t, b, []byte("answer"))
		wantRead(t, b, []byte("first"))
		late("the first byte", start)
		wantRead(t, a, []byte("answer"))
		late("the other direction", start)
		start = time.Now()
		write(t, a, []byte("second"))
		wantRead(t, b, []byte("second"))
		late("another", start)
		start = time.Now()
		a.Close()
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the end is %v", err)
		}
		late("the end", start)
	})
}

func TestDelayZeroEndsIt(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		w.Delay(time.Hour)
		write(t, a, []byte("held"))
		wantSilence(t, b)
		w.Delay(0)
		start := time.Now()
		wantRead(t, b, []byte("held"))
		if took := time.Since(start); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestThrottleLimitsEachDirectionOnItsOwn(t *testing.T) {
	onWires(t, func(t *testing.T, kind gridtest.Network, w *wires) {
		const rate, want = 1_000_000, 200 * time.Millisecond
		data := pattern(rate / 5)
		a, b := w.connect(t)
		w.Throttle(rate)
		start := time.Now()
		var running sync.WaitGroup
		for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
			running.Go(func() { way[0].Write(data) })
			running.Go(func() {
				got := make([]byte, len(data))
				if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, data) {
					t.Errorf("other bytes arrived than were sent: %v", err)
				}
			})
		}
		running.Wait()
		took := time.Since(start)
		if took < want*3/4 {
			t.Errorf("%d bytes took %v, want %v", len(data), took, want)
		}
		if kind == gridtest.Memory && took > want*5/4 { // virtual time
			t.Errorf("%d bytes each way took %v, want %v", len(data), took, want)
		}
	})
}

func TestThrottleZeroEndsIt(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		w.Throttle(1)
		data := pattern(10_000) // three hours
		write(t, a, data)
		w.Throttle(0)
		start := time.Now()
		wantRead(t, b, data)
		if took := time.Since(start); took > time.Hour {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCutAfterLetsExactlySoManyBytesThrough(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		for _, n := range []int{0, 1, 1000, 50_000} {
			w.CutAfter(n)
			a, b := w.connect(t) // the count holds for connections to come
			data := pattern(60_000)
			var writing sync.WaitGroup
			writing.Go(func() { a.Write(data) }) // fails, or is lost, beyond the cut
			wantBroken(t, b, data[:n])
			writing.Wait()
			wantBroken(t, a, nil)
			a, b = w.connect(t) // it happens once
			write(t, a, data)
			wantRead(t, b, data)
			a.Close()
			b.Close()
		}
	})
}

func TestCutAfterCountsBothDirectionsTogether(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		w.CutAfter(1000)
		write(t, a, pattern(600))
		wantRead(t, b, pattern(600))
		write(t, b, pattern(600))
		wantBroken(t, a, pattern(600)[:400])
		wantBroken(t, b, nil)
	})
}

func TestCutAfterNeverLetsMoreThrough(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		for range 30 {
			const n = 100_000
			a, b := w.connect(t)
			w.CutAfter(n)
			var running sync.WaitGroup
			var got [2]int
			for i, way := range [][2]net.Conn{{a, b}, {b, a}} {
				running.Go(func() { way[0].Write(pattern(n)) })
				running.Go(func() {
					data, _ := io.ReadAll(way[1])
					got[i] = len(data)
				})
			}
			running.Wait()
			if got[0]+got[1] > n {
				t.Errorf("%d bytes there and %d back came through, want %d at most", got[0], got[1], n)
			}
		}
	})
}

func TestANegativeCutAfterCallsItOff(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		w.CutAfter(10)
		write(t, a, pattern(5))
		wantRead(t, b, pattern(5))
		w.CutAfter(-1)
		write(t, a, pattern(1000))
		wantRead(t, b, pattern(1000))
	})
}

func TestCutBreaksBothEndsAndNewConnectionsCanBeMade(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		for _, stalled := range []bool{false, true} {
			a, b := w.connect(t)
			other, otherEnd := w.connect(t)
			if stalled {
				w.Stall()
			}
			w.Cut()
			for _, c := range []net.Conn{a, b, other, otherEnd} {
				wantBroken(t, c, nil)
			}
			w.Resume()
			a, b = w.connect(t)
			write(t, a, []byte("new"))
			wantRead(t, b, []byte("new"))
		}
	})
}

func TestPartitionBreaksAndRefusesUntilHeal(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		a, b := w.connect(t)
		w.Stall()
		w.Partition()
		wantBroken(t, a, nil)
		wantBroken(t, b, nil)
		for range 2 {
			if conn, err := w.tryDial(t.Context()); err == nil { // at once, though stalled
				t.Fatalf("a dial over a partitioned link: %v", conn)
			}
			w.Resume()
		}
		w.Heal()
		a, b = w.connect(t)
		write(t, a, []byte("healed"))
		wantRead(t, b, []byte("healed"))
	})
}

func TestTheEndOfAConnectionLosesNothing(t *testing.T) {
	onWires(t, func(t *testing.T, _ gridtest.Network, w *wires) {
		data := pattern(600_000)
		a, b := w.connect(t)
		if small, ok := b.(*net.TCPConn); ok {
			small.SetReadBuffer(32 << 10) // the last bytes wait long
		}
		b.(interface{ CloseWrite() error }).CloseWrite() // half closed: the last to close is a
		if _, err := a.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("the end is %v", err)
		}
		var writing sync.WaitGroup
		writing.Go(func() {
			write(t, a, data)
			a.Close()
		})
		<-time.After(aWhile) // the reader is slow
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes arrived, %v", len(got), len(data), err)
		}
		writing.Wait()
	})
}

func TestNodesComeBackAfterACutAndOtherLinksAreLeftAlone(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 3, kind)
		for name, breakIt := range map[string]func(*gridtest.Link){
			"Cut":      (*gridtest.Link).Cut,
			"CutAfter": func(l *gridtest.Link) { l.CutAfter(10); c.Conn(0, 1).Request(t.Context(), hEcho, make([]byte, 100)) },
		} {
			before := c.Conn(0, 1).Stats().Sessions
			breakIt(c.Link(1, 0))
			eventually(t, name+": both have a new session", func() bool {
				there, back := c.Conn(0, 1).Stats(), c.Conn(1, 0).Stats()
				return there.Sessions > before && back.Sessions > before && there.State == gridnode.StateConnected && back.State == gridnode.StateConnected
			})
			wantEcho(t, c, 0, 1)
			wantEcho(t, c, 1, 0)
			for _, i := range []int{0, 1} {
				if n := c.Conn(i, 2).Stats().Sessions; n != 1 {
					t.Errorf("%s: node %d to node 2 has had %d sessions", name, i, n)
				}
			}
		}
		if n := c.Conn(0, 1).Stats().Restarts; n > 0 {
			t.Errorf("%d restarts of a node that was only cut off", n)
		}
	})
}

func TestNodesAreApartWhileTheirLinkIsPartitioned(t *testing.T) {
	on(t, all, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 3, kind)
		c.Link(0, 1).Partition()
		for _, conn := range []*gridnode.Connection{c.Conn(0, 1), c.Conn(1, 0)} {
			eventually(t, "the loss is noticed", func() bool { return conn.State() != gridnode.StateConnected })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*aWhile) // redials fail meanwhile
		defer cancel()
		if err := c.Conn(0, 1).WaitForConnect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("over a partitioned link: %v", err)
		}
		wantEcho(t, c, 0, 2)
		wantEcho(t, c, 2, 1)
		c.Link(1, 0).Heal()
		c.WaitConnected()
		wantEcho(t, c, 0, 1)
		wantEcho(t, c, 1, 0)
	})
}

func TestAllMethodsOfALinkMayBeCalledConcurrently(t *testing.T) {
	on(t, links, func(t *testing.T, kind gridtest.Network) {
		c := cluster(t, 2, kind)
		var running sync.WaitGroup
		for _, f := range []func(l *gridtest.Link){
			(*gridtest.Link).Cut, (*gridtest.Link).Stall, (*gridtest.Link).Resume, (*gridtest.Link).Partition, (*gridtest.Link).Heal,
			func(l *gridtest.Link) { l.CutAfter(10) },
			func(l *gridtest.Link) { l.Delay(time.Microsecond) },
			func(l *gridtest.Link) { l.Throttle(1 << 20) },
			func(*gridtest.Link) { c.Conn(0, 1).Request(t.Context(), hEcho, make([]byte, 10)) },
		} {
			running.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for range 20 {
					f(c.Link(0, 1))
					if ctx.Err() != nil {
						return
					}
				}
			})
		}
		running.Wait()
		l := c.Link(0, 1)
		l.CutAfter(-1)
		l.Delay(0)
		l.Throttle(0)
		l.Heal()
		l.Resume()
		l.Cut()
		eventually(t, "the nodes come back", func() bool {
			_, err := c.Conn(0, 1).Request(t.Context(), hEcho, nil)
			return err == nil
		})
	})
}
