package shape

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// ServeFlag is the command's flag that makes it a server: a peer's name, then the
// name of the calling side.
const ServeFlag = "serve-peer"

// processes are the singles between two processes, for those whose ratio matters.
func processes(o Options) []Shape {
	var all []Shape
	for _, callers := range []int{1, 2, 16, 64, 512} {
		all = append(all, Shape{
			Name:  result.ProcsShape(small, callers),
			Title: fmt.Sprintf("single, echo of 512 B, %s, the server in another process (CPU and allocations are the caller's)", count(callers, "caller")),
			Unit:  result.MicrosPerCall,
			Entrants: entrants(o.Peers, func(p *peer.Peer) func(context.Context) (Runner, error) {
				switch p.Name {
				case result.Grid, result.GridInline, result.TCP, result.RawMux, result.Original:
					return func(context.Context) (Runner, error) { return openProcess(p, callers) }
				}
				return nil
			}),
		})
	}
	return all
}

func openProcess(p *peer.Peer, callers int) (Runner, error) {
	dialer, err := p.NewDialer()
	if err != nil {
		return nil, err
	}
	child, err := startChild(p.Name, dialer.Name())
	if err != nil {
		return nil, err
	}
	client, err := dialer.Dial(child.addr)
	if err != nil {
		return nil, errors.Join(err, child.stop())
	}
	load, err := singleLoad(client, small, callers)
	end := func() error { return errors.Join(client.Close(), child.stop()) }
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return &loadRunner{load: load, close: end}, nil
}

// child is this command as a server. It ends when its standard input does.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
}

func startChild(name, caller string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-"+ServeFlag, name, caller)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server's address: %w", err), c.stop())
	}
	c.addr = strings.TrimSpace(line)
	return c, nil
}

func (c *child) stop() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}

// ServeChild is the other side: it serves until in ends.
func ServeChild(name, caller string, in io.Reader, out io.Writer) error {
	p := peer.Find(name)
	if p == nil {
		return fmt.Errorf("no peer %q", name)
	}
	s, err := p.Serve(caller)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.Addr())
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, s.Close())
}
