package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

func TestNodesInProcessesOfTheirOwn(t *testing.T) {
	g := startGrid(t, Config{Nodes: 3, Size: 100, Processes: true})
	if len(g.nodes) != 1 || len(g.children) != 2 {
		t.Fatalf("%d nodes here and %d processes, want 1 and 2", len(g.nodes), len(g.children))
	}
	for _, name := range []string{"single", "all-to-all", "broadcast", "stream-up", "chan-pingpong"} {
		r, err := Run(context.Background(), g, named(t, name), 2, testTime)
		if err != nil {
			t.Fatal(err)
		}
		wantGood(t, r)
	}
	if _, err := g.Prepare(context.Background(), named(t, "single"), 1, Ops(1)); err == nil {
		t.Error("a budget of operations was accepted")
	}
}

func TestProcessesDoTheirShare(t *testing.T) {
	g := startGrid(t, Config{Nodes: 3, TLS: true, Processes: true})
	p, err := g.Prepare(context.Background(), named(t, "all-to-all"), 2, For(testTime))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, r)
	if here := p.local.records[0].hist.Count() + p.local.records[1].hist.Count(); r.Ops <= here || here == 0 {
		t.Errorf("%d operations of all processes, %d of this one", r.Ops, here)
	}
}

func TestInterruptReachesTheProcesses(t *testing.T) {
	g := startGrid(t, Config{Nodes: 3, Processes: true})
	p, err := g.Prepare(context.Background(), named(t, "all-to-all"), 2, For(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), testTime)
	defer cancel()
	r, err := p.Run(ctx) // fails when a process does not answer within twice the grace
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, r)
	if !r.Interrupted {
		t.Error("not marked as interrupted")
	}
}

func TestLostProcessIsAnError(t *testing.T) {
	g, err := Start(context.Background(), Config{Nodes: 3, Processes: true})
	if err != nil {
		t.Fatal(err)
	}
	g.children[1].cmd.Process.Kill()
	_, err = Run(context.Background(), g, named(t, "all-to-all"), 1, testTime)
	if err == nil || !strings.Contains(err.Error(), "node 2: its process has ended") {
		t.Errorf("Run with a killed process: %v", err)
	}
	if err := g.Close(); err == nil || !strings.Contains(err.Error(), "process of node 2") {
		t.Errorf("Close with a killed process: %v", err)
	}
}

func TestProcessEndsWithItsInput(t *testing.T) {
	in, commands := io.Pipe()
	replies, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { // ends with commands; the test waits
		ended <- serveParent(in, out)
		out.Close()
	}()
	encoder, decoder := json.NewEncoder(commands), json.NewDecoder(replies)
	var r reply
	exchange := func(c command) {
		t.Helper()
		if err := encoder.Encode(c); err != nil {
			t.Fatal(err)
		}
		if err := decoder.Decode(&r); err != nil || r.Err != "" {
			t.Fatalf("%s: %v %s", c.Do, err, r.Err)
		}
	}
	peer := startGrid(t, Config{Nodes: 2}) // only a listener that is somebody else's
	other := peer.nodes[0].manager.Local()
	exchange(command{Do: doSetup, Setup: &setup{Index: 0, Config: Config{Nodes: 2}}})
	names := []string{"http://" + r.Addr, other}
	if err := encoder.Encode(command{Do: doConnect, Names: names}); err != nil {
		t.Fatal(err)
	}
	commands.Close()                // the parent dies while the node still tries to connect
	go io.Copy(io.Discard, replies) // ends when serveParent has
	select {
	case <-ended:
	case <-time.After(connectTimeout / 2): // it tries for all of it
		t.Fatal("the process outlives its parent")
	}
}

func TestProcessRefusesCommandsOutOfOrder(t *testing.T) {
	for _, c := range []command{
		{Do: doOpen, Scenario: "single"}, {Do: doBegin}, {Do: doFinish}, {Do: doConnect}, {Do: doSetup}, {Do: "dance"},
	} {
		line, _ := json.Marshal(c)
		var out bytes.Buffer
		if err := serveParent(bytes.NewReader(line), &out); err != nil {
			t.Errorf("%s: %v", c.Do, err)
		}
		var r reply
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Err == "" {
			t.Errorf("%s: reply %q, %v; want an error", c.Do, out.String(), err)
		}
	}
}
