package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"time"
)

// ChildEnv is set in the environment of a process that is to be a node. A program
// that starts grids with Config.Processes calls ChildMain, and nothing else, if it
// finds it.
const ChildEnv = "ACTORGRID_BENCH_NODE"

// ChildMain is the life of a process that is a node: it serves the commands of its
// parent until they end, as they do when the parent dies. It returns the exit code.
func ChildMain() int {
	signal.Ignore(os.Interrupt) // a Ctrl-C goes to all; the parent decides
	if err := serveParent(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench: node process:", err)
		return 1
	}
	return 0
}

// process is a process that is a node, seen from inside.
type process struct {
	cfg    Config
	setup  *setup
	listen net.Listener
	node   *node
	share  *share             // between open and begin
	stop   context.CancelFunc // of the run, between begin and finish
	tally  chan tally         // of the run
}

// serveParent serves commands until in ends.
func serveParent(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	commands := make(chan command)
	go func() { // ends with in; serveParent waits for that
		defer close(commands)
		defer cancel()
		decoder := json.NewDecoder(in)
		for {
			var c command
			if decoder.Decode(&c) != nil {
				return
			}
			commands <- c
		}
	}()
	p := &process{}
	encoder := json.NewEncoder(out)
	var failed error
	for c := range commands {
		if failed != nil {
			continue
		}
		r, err := p.do(ctx, c)
		if err != nil {
			r.Err = err.Error()
		}
		if c.Do != doBegin || err != nil {
			failed = encoder.Encode(r)
		}
	}
	// Without a parent nobody would end a process that does not end by itself.
	defer time.AfterFunc(closeTimeout, func() { os.Exit(1) }).Stop()
	return errors.Join(failed, p.close())
}

// do carries out one command.
func (p *process) do(ctx context.Context, c command) (reply, error) {
	if (p.node == nil) != (c.Do == doSetup || c.Do == doConnect) {
		return reply{}, fmt.Errorf("%s is out of order", c.Do)
	}
	switch c.Do {
	case doSetup:
		return p.doSetup(c.Setup)
	case doConnect:
		return reply{}, p.doConnect(ctx, c.Names)
	case doOpen:
		s, err := Named(c.Scenario)
		if err != nil {
			return reply{}, err
		}
		p.share, err = openShare(ctx, []*node{p.node}, s, p.cfg, c.Callers, For(c.Time))
		return reply{}, err
	case doBegin:
		return reply{}, p.doBegin(ctx)
	case doFinish:
		if p.tally == nil {
			return reply{}, errors.New("finish without begin")
		}
		p.stop()
		t := <-p.tally
		p.tally = nil
		return reply{Tally: &t}, nil
	default:
		return reply{}, fmt.Errorf("unknown command %q", c.Do)
	}
}

func (p *process) doSetup(s *setup) (reply, error) {
	if s == nil {
		return reply{}, errors.New("setup without data")
	}
	descriptorLimit()
	var err error
	p.setup = s
	if p.cfg, err = s.Config.withDefaults(); err != nil {
		return reply{}, err
	}
	if p.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return reply{}, err
	}
	return reply{Addr: p.listen.Addr().String()}, nil
}

func (p *process) doConnect(ctx context.Context, names []string) error {
	if p.listen == nil || len(names) != p.cfg.Nodes {
		return fmt.Errorf("connect with %d names", len(names))
	}
	config, err := p.setup.Certificate.config()
	if err != nil {
		return err
	}
	b := &blueprint{p.cfg, config, Topology{p.cfg.Nodes, p.cfg.Nodes / 2}, names}
	n, err := b.newNode(p.setup.Index, p.listen)
	if err != nil {
		return err
	}
	p.node = n
	if err := n.start(); err != nil {
		return err
	}
	return n.connected(ctx, n.peers)
}

func (p *process) doBegin(ctx context.Context) error {
	if p.share == nil {
		return errors.New("begin without open")
	}
	ctx, p.stop = context.WithCancel(ctx)
	sh, result := p.share, make(chan tally, 1)
	p.share, p.tally = nil, result
	go func() { result <- sh.run(ctx) }() // ends with its time or ctx; finish or close waits
	return nil
}

// close ends what is under way, then the node.
func (p *process) close() error {
	if p.share != nil {
		p.share.abandon()
	}
	if p.tally != nil {
		p.stop()
		<-p.tally
	}
	if p.node != nil {
		return p.node.close()
	}
	if p.listen != nil {
		return p.listen.Close()
	}
	return nil
}
