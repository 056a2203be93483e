//go:build linux

package process

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// napTime is how long a call takes that ends by itself after the test has looked at it:
// several processes must have had their turns by then, on a machine that is busy.
const napTime = "1500ms"

// Two processes, calls in both directions, streams: over one TCP connection.
func TestTwoProcessesShareOneConnection(t *testing.T) {
	peers := startPeers(t, 2)
	a, b := peers[0], peers[1]
	connected(t, a, b, 5*time.Second)
	a.want("ok: hello, b", "greet", b, "b")
	b.want("ok: hello, a", "greet", a, "a")
	words := strings.Fields(strings.Repeat("one two three four five ", 20))
	a.want("ok: "+strings.Join(words, " "), "echo", b, words...)
	b.want("ok: "+strings.Join(words, " "), "echo", a, words...)
	sleeping := []<-chan string{a.begin("sleep", b, napTime), b.begin("sleep", a, napTime)}
	a.inFlight(b, 1)
	b.inFlight(a, 1)
	for _, p := range peers {
		n := p.sockets(t)
		for begin := time.Now(); n != 1 && time.Since(begin) < time.Second; n = p.sockets(t) {
			pause() // a knock may not have been hung up yet
		}
		if n != 1 {
			t.Errorf("%s has %d TCP connections", p.name, n)
		}
	}
	for _, answer := range sleeping {
		if got := receive(t, answer, 5*time.Second); got != "ok: slept" {
			t.Error(got)
		}
	}
	a.want("ok: sessions=1 restarts=0 calls=0 serving=0", "stats", b)
	b.want("ok: sessions=1 restarts=0 calls=0 serving=0", "stats", a)
}

// backWithin is from the start of a process that was down until it works again: its own
// start, and the knock that spares it ReconnectMax, 5 s.
const backWithin = 4 * time.Second

// kill -9: what is in flight ends as disconnected, at once; new calls are not sent; and
// soon after the restart everything works. Whichever side dials.
func TestAKilledProcessIsNoticedAndComesBack(t *testing.T) {
	peers := startPeers(t, 2)
	for i, killed := range peers {
		survivor := peers[1-i]
		connected(t, killed, survivor, 5*time.Second)
		pending := survivor.begin("sleep", killed, "1m")
		survivor.inFlight(killed, 1)
		killed.kill()
		if got := receive(t, pending, 4*time.Second); !strings.HasPrefix(got, "disconnected ") {
			t.Errorf("a call in flight to a killed process: %s", got)
		}
		if got := survivor.run("greet", killed, "x"); !strings.HasPrefix(got, "not-sent ") {
			t.Errorf("a call to a dead process: %s", got)
		}
		killed.start()
		t.Logf("connected %v after the restart", connected(t, survivor, killed, backWithin))
		if got := survivor.run("stats", killed); !strings.Contains(got, " restarts=1") {
			t.Errorf("a restart is not told from a blip: %s", got)
		}
	}
}

// SIGSTOP: the process keeps its sockets and answers nothing. Calls without a deadline
// fail in time, and after SIGCONT it is a peer again.
func TestAStoppedProcessIsGivenUp(t *testing.T) {
	t.Run("fast", func(t *testing.T) { stopAndContinue(t, 4*time.Second, "-ping=300ms", "-dead=900ms") })
	if *flagDefaults {
		t.Run("default", func(t *testing.T) { stopAndContinue(t, 10*time.Second+500*time.Millisecond) })
	}
}

func stopAndContinue(t *testing.T, bound time.Duration, args ...string) {
	peers := startPeers(t, 2, args...)
	for i, stopped := range peers {
		survivor := peers[1-i]
		connected(t, stopped, survivor, 5*time.Second)
		before := survivor.begin("sleep", stopped, "1m")
		survivor.inFlight(stopped, 1)
		stopped.stop()
		after := survivor.begin("greet", stopped, "anybody?")
		for _, pending := range []<-chan string{before, after} {
			got := receive(t, pending, bound)
			if !strings.HasPrefix(got, "disconnected ") {
				t.Errorf("a call to a stopped process: %s", got)
			}
			t.Log(got)
		}
		stopped.signal(syscall.SIGCONT)
		t.Logf("connected %v after SIGCONT", connected(t, survivor, stopped, 8*time.Second))
		if got := survivor.run("stats", stopped); !strings.Contains(got, " restarts=0") {
			t.Errorf("a stop looks like a restart: %s", got)
		}
	}
}

// SIGTERM: running calls finish, both ways, new ones are not sent, and the process ends
// well.
func TestATerminatedProcessDrains(t *testing.T) {
	peers := startPeers(t, 2)
	ending, other := peers[0], peers[1]
	connected(t, ending, other, 5*time.Second)
	running := []<-chan string{other.begin("sleep", ending, napTime), ending.begin("sleep", other, napTime)}
	ending.inFlight(other, 1)
	other.inFlight(ending, 1)
	ending.signal(syscall.SIGTERM)
	for refused := time.Now(); !strings.HasPrefix(other.run("greet", ending, "x"), "not-sent "); pause() {
		if time.Since(refused) > time.Second { // before the running calls end
			t.Fatal("new calls are accepted by a draining process")
		}
	}
	for _, answer := range running {
		if got := receive(t, answer, 5*time.Second); got != "ok: slept" {
			t.Errorf("a running call was not drained: %s", got)
		}
	}
	if err := ending.wait(); err != nil {
		t.Errorf("end of the process: %v", err)
	}
	ending.start()
	connected(t, other, ending, backWithin)
}
