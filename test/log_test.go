package test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// logLines is a log in memory that several nodes write to.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

// count returns how many lines contain part.
func (l *logLines) count(part string) (n int) {
	for _, line := range l.all() {
		if line != "" && strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// option makes all nodes log here, as a service with the default level does.
func (l *logLines) option() gridtest.Option {
	return config(func(cfg *gridnode.Config) { cfg.Logger = slog.New(slog.NewTextHandler(l, nil)) })
}

// once makes a node dial one time in its life.
func once(cfg *gridnode.Config) {
	dial := cfg.Dial
	var dialled atomic.Bool
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errors.New("dialled once already")
		}
		return dial(ctx, network, addr)
	}
}
