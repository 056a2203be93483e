// Command gridpeer is one node of a grid, as small as an embedding can be. It serves
// two handlers, and calls those of its peers for each line that it reads:
//
//	gridpeer -local http://127.0.0.1:9001 -peers http://127.0.0.1:9001,http://127.0.0.1:9002
//	call http://127.0.0.1:9002 hello        a single call
//	stream http://127.0.0.1:9002 a b c      a two-way stream: each word comes back
//	hang http://127.0.0.1:9002              a call whose handler does not return
//	wait http://127.0.0.1:9002              until it is connected
//	stats http://127.0.0.1:9002             how often it came up, and was restarted
//
// Each line is answered by one line, in the order in which the calls end. SIGTERM lets
// the running calls finish.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The same numbers on every node.
const (
	greet gridnode.HandlerID = iota + 1
	echo
	hang
)

func main() {
	log.SetFlags(0)
	var cfg gridnode.Config
	flag.StringVar(&cfg.Local, "local", "", "this node, as its peers dial it")
	peers := flag.String("peers", "", "all nodes, separated by commas")
	flag.DurationVar(&cfg.PingAfter, "ping", 0, "silence until a peer is pinged; 0: the default")
	flag.DurationVar(&cfg.DeadAfter, "dead", 0, "silence until a peer is given up; 0: the default")
	verbose := flag.Bool("v", false, "log connections to standard error")
	flag.Parse()
	cfg.Peers = strings.Split(*peers, ",")
	if *verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if err := run(cfg); err != nil {
		log.Fatal("gridpeer: ", err)
	}
}

// run is the life of the node: until SIGTERM, and then until its calls have ended.
func run(cfg gridnode.Config) error {
	m, err := gridnode.NewManager(cfg)
	if err != nil {
		return err
	}
	if err := register(m); err != nil {
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
	if err := m.Start(); err != nil {
		return err
	}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var drained sync.WaitGroup
	drained.Go(func() { // ends after the signal; awaited below
		<-terminated.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := m.Shutdown(ctx); err != nil {
			log.Print("gridpeer: ", err)
		}
	})
	go commands(m) // ends with standard input, or with the process
	err = m.Serve(l)
	stop()
	drained.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// register is the serving side.
func register(m *gridnode.Manager) error {
	return errors.Join(
		m.RegisterSingle(greet, func(ctx context.Context, req []byte) ([]byte, error) {
			peer, _ := gridnode.Caller(ctx)
			return fmt.Appendf(nil, "%s says hello to %s: %s", m.Local(), peer, req), nil
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
		m.RegisterSingle(hang, func(ctx context.Context, _ []byte) ([]byte, error) {
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(time.Second):
				return []byte("at last"), nil
			}
		}),
	)
}
