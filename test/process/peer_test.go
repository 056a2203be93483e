//go:build linux

package process

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// peer is one node in a process of its own. Its methods are for the test's goroutine.
type peer struct {
	t    *testing.T
	name string
	args []string

	cmd     *exec.Cmd
	stdin   io.WriteCloser
	sent    int
	reading sync.WaitGroup

	mu      sync.Mutex
	answers map[int]chan string
}

// startPeers starts one process for each of n nodes; all end with the test.
func startPeers(t *testing.T, n int, args ...string) []*peer {
	t.Helper()
	var names []string
	for _, address := range freeAddresses(t, n) {
		names = append(names, "http://"+address)
	}
	var peers []*peer
	for _, name := range names {
		p := &peer{t: t, name: name, args: append([]string{"-local", name, "-peers", strings.Join(names, ",")}, args...)}
		p.start()
		t.Cleanup(p.kill)
		peers = append(peers, p)
	}
	return peers
}

// freeAddresses returns different addresses that nobody listens on just now. The host is
// not that of the tests beside these, which would take the port before the process has
// it, or while it is down.
func freeAddresses(t *testing.T, n int) (addresses []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.7:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // after the last: the same would come twice
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

// start begins the process, again if it has ended.
func (p *peer) start() {
	p.t.Helper()
	p.cmd = exec.Command(gridpeer, p.args...)
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.stdin, p.sent, p.answers = stdin, 0, make(map[int]chan string)
	p.reading.Go(func() { p.read(stdout) }) // ends with the process; wait waits
}

// read gives each answer to the command that it is for.
func (p *peer) read(stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var n int
		fmt.Sscan(lines.Text(), &n)
		_, answer, _ := strings.Cut(lines.Text(), " ")
		p.answer(n) <- answer
	}
}

// answer is where the answer of the nth command comes.
func (p *peer) answer(n int) chan string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers[n] == nil {
		p.answers[n] = make(chan string, 1)
	}
	return p.answers[n]
}

// begin gives a command; what it returns is where the answer comes.
func (p *peer) begin(command string, to *peer, words ...string) <-chan string {
	p.t.Helper()
	p.sent++
	if _, err := fmt.Fprintln(p.stdin, command, to.name, strings.Join(words, " ")); err != nil {
		p.t.Fatal(err)
	}
	return p.answer(p.sent)
}

// run gives a command and waits for its answer.
func (p *peer) run(command string, to *peer, words ...string) string {
	p.t.Helper()
	return receive(p.t, p.begin(command, to, words...), 15*time.Second)
}

// want gives a command and checks its answer.
func (p *peer) want(answer, command string, to *peer, words ...string) {
	p.t.Helper()
	if got := p.run(command, to, words...); got != answer {
		p.t.Fatalf("%s %q: %q, want %q", command, words, got, answer)
	}
}

// receive waits for an answer.
func receive(t *testing.T, answer <-chan string, bound time.Duration) string {
	t.Helper()
	select {
	case text := <-answer:
		return text
	case <-time.After(bound):
		t.Fatalf("no answer within %v", bound)
		return ""
	}
}

func (p *peer) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// stop halts the process. A signal alone comes to a running thread only when that
// enters the kernel next, and until then it answers: stop waits for the last thread.
func (p *peer) stop() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	for !status.Stopped() {
		_, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err != nil && err != syscall.EINTR || status.Exited() || status.Signaled() {
			p.t.Fatalf("stop: %v, %v", status, err)
		}
	}
}

// kill ends the process as kill -9 does, unless it has ended.
func (p *peer) kill() {
	p.cmd.Process.Kill()
	p.wait()
}

// wait waits for the process to end, and returns how it did.
func (p *peer) wait() error {
	p.reading.Wait()
	return p.cmd.Wait()
}

// connected waits until the connection works in both directions, and returns how long
// that took.
func connected(t *testing.T, a, b *peer, bound time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	for a.run("greet", b, "x") != "ok: hello, x" || b.run("greet", a, "x") != "ok: hello, x" {
		if time.Since(begin) > bound {
			t.Fatalf("not connected within %v: %s", bound, a.run("greet", b, "x"))
		}
		pause()
	}
	return time.Since(begin)
}

// inFlight waits until n calls from p are being served by to.
func (p *peer) inFlight(to *peer, n int) {
	p.t.Helper()
	calls, serving := fmt.Sprintf(" calls=%d ", n), fmt.Sprintf(" serving=%d", n)
	for begin := time.Now(); !strings.Contains(p.run("stats", to), calls) || !strings.Contains(to.run("stats", p), serving); pause() {
		if time.Since(begin) > 5*time.Second {
			p.t.Fatalf("%d calls are not in flight: %s", n, p.run("stats", to))
		}
	}
}

// pause is the time between two looks at something that another process does.
func pause() { <-time.After(5 * time.Millisecond) }
