package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

const (
	openTimeout  = 30 * time.Second
	closeTimeout = 10 * time.Second
)

// child is a process with one node, seen from the parent.
type child struct {
	index   int
	cmd     *exec.Cmd
	in      io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// startProcesses starts node 0 here and each of the others in a process of its own.
func (g *Grid) startProcesses(ctx context.Context, cert *certificate) error {
	if err := checkProcesses(g.cfg.Nodes, descriptorLimit()); err != nil {
		return err
	}
	g.topology = Topology{Nodes: g.cfg.Nodes, reach: g.cfg.Nodes / 2}
	b := &blueprint{cfg: g.cfg, topology: g.topology}
	var err error
	if b.tls, err = cert.config(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.names = append(b.names, g.cfg.scheme()+l.Addr().String())
	if err := g.spawn(ctx, b, cert); err != nil {
		l.Close()
		return err
	}
	n, err := b.newNode(0, l)
	if err != nil {
		l.Close()
		return err
	}
	g.nodes = append(g.nodes, n)
	return g.connectProcesses(ctx, b, n)
}

// spawn starts the processes and completes the names.
func (g *Grid) spawn(ctx context.Context, b *blueprint, cert *certificate) error {
	for i := 1; i < g.cfg.Nodes; i++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, err := newChild(i)
		if err != nil {
			return fmt.Errorf("process of node %d: %w", i, err)
		}
		g.children = append(g.children, c)
		if err := c.send(command{Do: doSetup, Setup: &setup{Index: i, Config: g.cfg, Certificate: cert}}); err != nil {
			return err
		}
	}
	for _, c := range g.children {
		r, err := c.receive(openTimeout)
		if err != nil {
			return err
		}
		b.names = append(b.names, g.cfg.scheme()+r.Addr)
	}
	return nil
}

// connectProcesses starts all nodes and waits until each says it is connected.
func (g *Grid) connectProcesses(ctx context.Context, b *blueprint, n *node) error {
	for _, c := range g.children {
		if err := c.send(command{Do: doConnect, Names: b.names}); err != nil {
			return err
		}
	}
	if err := n.start(); err != nil {
		return err
	}
	if err := n.connected(ctx, n.peers); err != nil {
		return err
	}
	for i, c := range g.children {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := c.receive(connectTimeout + openTimeout); err != nil {
			return err
		}
		g.cfg.Progress(i+2, g.cfg.Nodes)
	}
	return nil
}

// newChild starts this program again, as a node.
func newChild(index int) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{index: index, cmd: exec.Command(program)}
	c.cmd.Env = append(os.Environ(), ChildEnv+"=1")
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.encoder, c.decoder = json.NewEncoder(c.in), json.NewDecoder(out)
	return c, c.cmd.Start()
}

func (c *child) send(cmd command) error {
	if err := c.encoder.Encode(cmd); err != nil {
		return fmt.Errorf("node %d: its process has ended: %w", c.index, err)
	}
	return nil
}

// receive waits for the next reply. A process that takes too long is killed.
func (c *child) receive(timeout time.Duration) (reply, error) {
	late := time.AfterFunc(timeout, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	var r reply
	if err := c.decoder.Decode(&r); err != nil {
		return r, fmt.Errorf("node %d: its process has ended: %w", c.index, err)
	}
	if r.Err != "" {
		return r, fmt.Errorf("node %d: %w", c.index, errors.New(r.Err))
	}
	return r, nil
}

// close ends the process and waits for its end.
func (c *child) close() error {
	c.in.Close()
	late := time.AfterFunc(closeTimeout, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("process of node %d: %w", c.index, err)
	}
	return nil
}
