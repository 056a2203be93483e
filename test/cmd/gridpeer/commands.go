package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// commands reads commands, one a line, runs each in a goroutine of its own, and prints
// a line for each when it has ended: its number, counted from 1, and what came of it.
//
//	greet PEER TEXT        a single call
//	sleep PEER DURATION    a single call that takes so long
//	echo PEER WORD...      a two-way stream: each word comes back
//	wait PEER              until the peer is connected
//	stats PEER             how often it came up, with how many restarts; calls now, both ways
func commands(m *gridnode.Manager, in io.Reader, out io.Writer) {
	var running sync.WaitGroup
	defer running.Wait()
	var mu sync.Mutex
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		running.Go(func() { // ends with the call
			answer := command(m, words)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(out, n, answer)
		})
	}
}

// command runs one command and tells what came of it in a line.
func command(m *gridnode.Manager, words []string) string {
	if len(words) < 2 {
		return "usage: COMMAND PEER WORD..."
	}
	conn := m.Connection(words[1])
	if conn == nil {
		return "unknown peer"
	}
	begin := time.Now()
	text, err := call(context.Background(), conn, words[0], words[2:])
	if err != nil {
		return fmt.Sprintf("%s after %v: %v", kind(err), time.Since(begin).Round(time.Millisecond), err)
	}
	return "ok: " + text
}

func call(ctx context.Context, conn *gridnode.Connection, name string, words []string) (string, error) {
	switch name {
	case "greet":
		resp, err := conn.Request(ctx, greet, []byte(strings.Join(words, " ")))
		return string(resp), err
	case "sleep":
		resp, err := conn.Request(ctx, sleep, []byte(strings.Join(words, " ")))
		return string(resp), err
	case "echo":
		return echoed(ctx, conn, words)
	case "wait":
		return conn.State().String(), conn.WaitForConnect(ctx)
	case "stats":
		st := conn.Stats()
		return fmt.Sprintf("sessions=%d restarts=%d calls=%d serving=%d", st.Sessions, st.Restarts, st.Calls, st.ServingCalls), nil
	}
	return "", fmt.Errorf("unknown command %q", name)
}

// echoed sends the words over a stream and returns what comes back.
func echoed(ctx context.Context, conn *gridnode.Connection, words []string) (string, error) {
	st, err := conn.OpenMux(ctx, echo, nil)
	if err != nil {
		return "", err
	}
	go func() { // ends with the stream
		for _, w := range words {
			if st.Send(ctx, []byte(w)) != nil {
				return
			}
		}
		st.CloseSend()
	}()
	var back []string
	for msg, err := range st.All(ctx) {
		if err != nil {
			return "", err
		}
		back = append(back, string(msg))
	}
	return strings.Join(back, " "), nil
}

// kind is the class of an error, for whoever reads the output by machine.
func kind(err error) string {
	switch {
	case errors.Is(err, gridnode.ErrNotSent):
		return "not-sent"
	case errors.Is(err, gridnode.ErrDisconnected):
		return "disconnected"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "error"
}
