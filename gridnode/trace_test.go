package gridnode

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

var rewrite = flag.Bool("rewrite", false, "write what happens into testdata/trace; commit it only if you understand why it changed")

// The scripts of testdata/trace play a peer, the handlers and the callers of one node,
// and hold what the node sends and what its users see, in order. A block is commands,
// a line of dashes, and what came of them; testdata/trace/README has the commands.
func TestTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/trace/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = playScript(t, string(script)) })
			if got == string(script) {
				return
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s: %s", file, firstDifference(string(script), got))
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d: want %q; what happens:\n%s", i+1, w[i], got)
		}
	}
	return "more happens than the script has:\n" + got
}

// playScript runs the blocks of a script and returns it with what happened.
func playScript(t *testing.T, script string) string {
	var out strings.Builder
	var p *play
	for block := range strings.SplitSeq(strings.TrimRight(script, "\n"), "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		for line := range strings.SplitSeq(commands, "\n") {
			fields := strings.Fields(line)
			switch {
			case len(fields) == 0 || strings.HasPrefix(line, "#"):
			case fields[0] == "node":
				p = newPlay(t, fields[1:])
			default:
				p.command(fields)
			}
			synctest.Wait()
		}
		out.WriteString(commands + "\n")
		if strings.Contains(block, "\n----") {
			out.WriteString("----\n" + p.happened())
		}
		out.WriteString("\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// play is one node with its users, and the peer.
type play struct {
	t    *testing.T
	s    *session
	w    *fakeWire
	ops  sync.WaitGroup
	seen int // frames printed

	mu       sync.Mutex
	news     []string
	pending  map[string]int // operations that have not returned
	handlers map[uint64]*playedHandler
	clients  map[string]*MuxClient
	lost     bool
}

// playedHandler is a handler that does what the script says; result ends it.
type playedHandler struct {
	ctx    context.Context
	st     *MuxServer // nil for a single
	result chan error
	resp   []byte
	told   atomic.Bool // the script has ended it
}

// newPlay makes the node: handler 0 is a single, handler 1 a stream.
func newPlay(t *testing.T, args []string) *play {
	p := &play{t: t, pending: map[string]int{}, handlers: map[uint64]*playedHandler{}, clients: map[string]*MuxClient{}}
	a := parseArgs(t, args)
	p.s, p.w = live(t, Config{Window: int(a.numbers["window"])}, func(m *Manager) error {
		single := func(ctx context.Context, req []byte) ([]byte, error) {
			h := p.began(ctx, nil, req)
			err := <-h.result
			return h.resp, err
		}
		stream := func(ctx context.Context, st *MuxServer) error {
			return <-p.began(ctx, st, st.Payload()).result
		}
		return errors.Join(m.RegisterSingle(1, single), m.RegisterMux(2, MuxHandler{Handle: stream, InCapacity: int(a.numbers["in"]), OutCapacity: int(a.numbers["out"])}))
	})
	p.s.conn.receive(connEvent{kind: eventAttached, session: p.s})
	t.Cleanup(p.end)
	return p
}

// end lets everything end that the script has left, and the connection learn of it.
func (p *play) end() {
	if !p.lost {
		p.lose(errors.New("the script is over"))
	}
	synctest.Wait()
	p.mu.Lock()
	for _, h := range p.handlers {
		close(h.result)
	}
	p.mu.Unlock()
	p.ops.Wait()
}

// began notes the start of a handler. That of a single is called 0: it has no ID.
func (p *play) began(ctx context.Context, st *MuxServer, payload []byte) *playedHandler {
	h := &playedHandler{ctx: ctx, st: st, result: make(chan error, 1)}
	id := uint64(0)
	if st != nil {
		id = st.id
	}
	p.mu.Lock()
	p.handlers[id] = h
	p.mu.Unlock()
	p.say("handler %d: called with %s", id, showBytes(payload))
	context.AfterFunc(ctx, func() {
		if !h.told.Load() {
			p.say("handler %d: its context ends: %v", id, context.Cause(ctx))
		}
	})
	return h
}

func (p *play) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.news = append(p.news, fmt.Sprintf(format, args...))
}

// happened returns what came of a block: frames in order, then what the users saw.
func (p *play) happened() string {
	var out strings.Builder
	p.w.mu.Lock()
	for ; p.seen < len(p.w.sent); p.seen++ {
		fmt.Fprintf(&out, "-> %s\n", showFrame(p.w.sent[p.seen]))
	}
	for _, err := range p.w.closed {
		fmt.Fprintf(&out, "the session ends: %v\n", err)
	}
	p.w.closed = nil
	p.w.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.news)
	for _, line := range p.news {
		fmt.Fprintln(&out, line)
	}
	p.news = nil
	for _, op := range slices.Sorted(maps.Keys(p.pending)) {
		if p.pending[op] > 0 {
			fmt.Fprintf(&out, "%s: waits\n", op)
		}
	}
	return out.String()
}

// run does an operation that may wait; its end is news. end waits for it.
func (p *play) run(name string, do func() (string, error)) {
	p.mu.Lock()
	p.pending[name]++
	p.mu.Unlock()
	p.ops.Go(func() {
		result, err := do()
		if err != nil {
			result = "error: " + err.Error()
		}
		p.mu.Lock()
		p.pending[name]--
		p.mu.Unlock()
		p.say("%s: %s", name, result)
	})
}

func (p *play) command(fields []string) {
	args := parseArgs(p.t, fields[1:])
	switch fields[0] {
	case "peer":
		if err := arrive(p.s, args.frame()); err != nil {
			p.say("the session ends: %v", err)
			p.lose(err)
		}
	case "lost":
		p.lose(errors.New("connection reset"))
	case "drain":
		p.s.conn.drain()
	case "sleep":
		<-time.After(time.Duration(args.numbers["ms"]) * time.Millisecond)
	case "handler":
		p.handlerDoes(args)
	case "call":
		p.run(args.words[0], func() (string, error) {
			resp, err := p.s.request(p.t.Context(), 0, args.payload)
			return "returns " + showBytes(resp), err
		})
	case "open":
		p.open(args)
	default:
		p.clientDoes(fields[0], args)
	}
}

func (p *play) lose(err error) {
	p.lost = true
	p.s.Closed(err)
}

func (p *play) open(args arguments) {
	name := args.words[0]
	p.run(name, func() (string, error) {
		target := remoteHandler{index: 1, in: int(args.numbers["in"]), out: int(args.numbers["out"])}
		st, err := p.s.openMux(p.t.Context(), target, args.payload, nil)
		if err == nil {
			p.mu.Lock()
			p.clients[name] = st
			p.mu.Unlock()
		}
		return "open", err
	})
}

// find returns the handler or the stream that a command is for.
func find[K comparable, V any](p *play, m map[K]V, key K) V {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := m[key]
	if !ok {
		p.t.Fatalf("there is no %v", key)
	}
	return v
}

func (p *play) handlerDoes(args arguments) {
	id, _ := strconv.ParseUint(args.words[0], 10, 64)
	h := find(p, p.handlers, id)
	name := fmt.Sprintf("handler %d %s", id, args.words[1])
	switch args.words[1] {
	case "send":
		p.run(name, func() (string, error) { return "done", h.st.Send(h.ctx, args.payload) })
	case "recv":
		p.run(name, func() (string, error) { msg, err := h.st.Recv(h.ctx); return showBytes(msg), err })
	case "return":
		h.resp = args.payload
		h.told.Store(true)
		h.result <- nil
	case "fail":
		h.told.Store(true)
		h.result <- errors.New(string(args.payload))
	}
}

func (p *play) clientDoes(name string, args arguments) {
	st := find(p, p.clients, name)
	what := name + " " + args.words[0]
	switch args.words[0] {
	case "send":
		p.run(what, func() (string, error) { return "done", st.Send(p.t.Context(), args.payload) })
	case "recv":
		p.run(what, func() (string, error) { msg, err := st.Recv(p.t.Context()); return showBytes(msg), err })
	case "closesend":
		p.run(what, func() (string, error) { return "done", st.CloseSend() })
	case "cancel":
		st.Cancel(errors.New(string(args.payload)))
	}
}

// arguments are words, key=number, and one payload: "text" or 70000*x.
type arguments struct {
	t       *testing.T
	words   []string
	numbers map[string]uint64
	payload []byte
}

func parseArgs(t *testing.T, fields []string) arguments {
	a := arguments{t: t, numbers: map[string]uint64{}}
	for _, f := range fields {
		key, value, pair := strings.Cut(f, "=")
		count, char, repeated := strings.Cut(f, "*")
		switch n, err := strconv.ParseUint(value, 10, 64); {
		case pair && err == nil:
			a.numbers[key] = n
		case strings.HasPrefix(f, `"`):
			a.payload = []byte(strings.Trim(f, `"`))
		case repeated:
			n, _ := strconv.Atoi(count)
			a.payload = []byte(strings.Repeat(char, n))
		default:
			a.words = append(a.words, f)
		}
	}
	return a
}

var traceOps = map[string]frames.Op{
	"request": frames.OpRequest, "reply": frames.OpReply, "open": frames.OpOpen, "data": frames.OpData, "credit": frames.OpCredit,
	"closesend": frames.OpCloseSend, "status": frames.OpStatus, "cancel": frames.OpCancel, "ping": frames.OpPing, "goaway": frames.OpGoaway,
}

// frame makes the frame of a peer command.
func (a arguments) frame() frames.Frame {
	f := frames.Frame{
		Op: traceOps[a.words[0]], Mux: a.numbers["mux"], Target: uint32(a.numbers["target"]), Timeout: a.numbers["timeout"],
		Size: a.numbers["size"], Credit: a.numbers["credit"], Code: Code(a.numbers["code"]),
	}
	if f.Op == 0 {
		a.t.Fatalf("no op %q", a.words[0])
	}
	for _, w := range a.words[1:] {
		f.Flags |= map[string]frames.Flags{"more": frames.FlagMore, "cont": frames.FlagCont}[w]
	}
	if f.Text = a.payload; f.Op != frames.OpStatus && f.Op != frames.OpCancel && f.Op != frames.OpGoaway {
		f.Text, f.Payload = nil, a.payload
	}
	return f
}

// showFrame prints what is set of a frame, in the form of a peer command.
func showFrame(f frames.Frame) string {
	var b strings.Builder
	b.WriteString(f.Op.String())
	if f.Flags&frames.FlagMore != 0 {
		b.WriteString(" more")
	}
	if f.Flags&frames.FlagCont != 0 {
		b.WriteString(" cont")
	}
	for _, n := range []struct {
		key   string
		value uint64
	}{{"mux", f.Mux}, {"target", uint64(f.Target)}, {"timeout", f.Timeout}, {"size", f.Size}, {"credit", f.Credit}, {"code", uint64(f.Code)}} {
		if n.value != 0 {
			fmt.Fprintf(&b, " %s=%d", n.key, n.value)
		}
	}
	if f.Text != nil {
		fmt.Fprintf(&b, " %q", f.Text)
	}
	if f.Payload != nil {
		b.WriteString(" " + showBytes(f.Payload))
	}
	return b.String()
}

func showBytes(b []byte) string {
	if b == nil {
		return "nil"
	}
	if len(b) > 40 {
		return fmt.Sprintf("%d*%c", len(b), b[0])
	}
	return strconv.Quote(string(b))
}
