// Command gridpeer is one node of a grid, as small as an embedding can be: it serves
// three handlers, and calls those of its peers as standard input says (commands.go).
//
//	gridpeer -local http://127.0.0.1:9001 -peers http://127.0.0.1:9001,http://127.0.0.1:9002
//
// SIGTERM lets the running calls finish.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The handlers, by the same numbers on every node.
const (
	greet gridnode.HandlerID = iota + 1
	sleep
	echo
)

func main() {
	log.SetFlags(0)
	var cfg gridnode.Config
	flag.StringVar(&cfg.Local, "local", "", "this node, as its peers dial it")
	peers := flag.String("peers", "", "all nodes, separated by commas")
	flag.DurationVar(&cfg.PingAfter, "ping", 0, "silence until a peer is pinged; 0: the default")
	flag.DurationVar(&cfg.DeadAfter, "dead", 0, "silence until a peer is given up; 0: the default")
	flag.Parse()
	cfg.Peers = strings.Split(*peers, ",")
	if err := run(cfg); err != nil {
		log.Fatal("gridpeer: ", err)
	}
}

// run is the life of the node, until a signal ends it.
func run(cfg gridnode.Config) error {
	m, err := gridnode.NewManager(cfg)
	if err != nil {
		return err
	}
	name, err := url.Parse(m.Local())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", name.Host)
	if err != nil {
		return err
	}
	if err := errors.Join(register(m), m.Start()); err != nil {
		return err
	}
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- m.Serve(l) }() // ends with Shutdown
	go commands(m, os.Stdin, os.Stdout)  // ends with standard input, or with the process
	select {
	case err := <-served:
		return err
	case <-signals.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return m.Shutdown(ctx)
}

func register(m *gridnode.Manager) error {
	return errors.Join(
		m.RegisterSingle(greet, func(_ context.Context, req []byte) ([]byte, error) {
			return append([]byte("hello, "), req...), nil
		}),
		m.RegisterSingle(sleep, func(ctx context.Context, req []byte) ([]byte, error) {
			d, err := time.ParseDuration(string(req))
			if err != nil {
				return nil, err
			}
			select {
			case <-time.After(d):
				return []byte("slept"), nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}),
		m.RegisterMux(echo, gridnode.MuxHandler{InCapacity: 4, OutCapacity: 4, Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			for msg, err := range st.All(ctx) {
				if err != nil {
					return err
				}
				if err := st.Send(ctx, msg); err != nil {
					return err
				}
			}
			return nil
		}}),
	)
}
