package gridnode_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

func withLimits(perPeer, node int) gridtest.Option {
	return gridtest.WithConfig(func(i int, cfg *gridnode.Config) {
		cfg.MaxMuxesPerPeer, cfg.MaxMuxes = perPeer, node
	})
}

// Promise 7: muxes beyond the limit are refused at once, and room that is made is used.
func TestAFloodOfOpensIsRefusedAndRecovers(t *testing.T) {
	const limit, flood = 16, 1000
	for name, opt := range map[string]gridtest.Option{"per peer": withLimits(limit, 1<<20), "per node": withLimits(1<<20, limit)} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				var opens []frames.Frame
				for i := range flood {
					f := p.open(uint64(2*i+1), hSink, 1)
					if i%2 == 1 {
						f = p.request(uint64(2*i+1), hHang, nil)
					}
					opens = append(opens, f)
				}
				lines := v.lines("\n")
				p.send(opens...)
				for mux, f := range p.wantAll(frames.OpStatus, flood-limit) {
					if f.Code != frames.CodeOverloaded || mux <= 2*limit {
						t.Fatalf("%v", show(f))
					}
				}
				if n := v.Node(0).ServedMuxes(); n != limit {
					t.Errorf("%d muxes", n)
				}
				p.send(frames.Frame{Op: frames.OpCancel, Mux: 1, Code: frames.CodeCanceled})
				p.wantStatus(1, frames.CodeCanceled)
				p.send(p.request(2*flood+1, hEcho, []byte("room")))
				p.want(frames.OpReply, 2*flood+1)
				if n := v.lines("\n") - lines; n > 1 {
					t.Errorf("%d lines logged", n)
				}
				p.conn.Close()
				v.idle(t, p.name)
			}, opt)
		})
	}
}

// A message that has begun to arrive is a mux too.
func TestAFloodOfBegunRequestsIsBounded(t *testing.T) {
	const limit, flood = 16, 10_000
	for name, size := range map[string]uint64{"of nothing": 0, "of a byte": 1, "of little": 1000} {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				var begun []frames.Frame
				for i := range flood {
					f := p.request(uint64(2*i+1), hEcho, nil)
					f.Flags, f.Size = frames.FlagMore, size
					begun = append(begun, f)
				}
				p.message(ws.OpBinary, p.batch(begun...))
				v.settle()
				if n := v.conn(p.name).Assembling(); n > 2*limit {
					t.Errorf("%d messages have begun, the limit is %d muxes", n, limit)
				}
				p.conn.Close()
				v.idle(t, p.name)
			}, withLimits(limit, 1<<20))
		})
	}
}

// tally reads the ends of n calls, which are replies or refusals as overloaded.
func (p *rawPeer) tally(n int, reply func(frames.Frame)) (answered, refused int) {
	p.t.Helper()
	for answered+refused < n {
		switch f, err := p.next(); {
		case err != nil:
			p.t.Fatalf("%d answered, %d refused, %v", answered, refused, err)
		case f.Op == frames.OpReply:
			answered++
			reply(f)
		case f.Op == frames.OpStatus && f.Code == frames.CodeOverloaded:
			refused++
		default:
			p.t.Fatalf("%v", show(f))
		}
	}
	return answered, refused
}

// Answers of inline handlers may have to wait, for the queue if they are small, for the
// window if they are large. They are muxes then, of which there is a limit; beyond it a
// call is refused, and has not run.
func TestAnswersOfInlineHandlersThatWaitAreBounded(t *testing.T) {
	const limit, flood, hFlooded = 16, 2000, 190
	for name, size := range map[string]int{"small": 3_000, "bulk": 20_000} {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int64
			h := func(context.Context, []byte) ([]byte, error) { runs.Add(1); return make([]byte, size), nil }
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				var calls []frames.Frame
				for i := range flood {
					calls = append(calls, p.request(uint64(2*i+1), hFlooded, nil))
				}
				p.send(calls...)
				v.settle()
				if n := v.Node(0).ServedMuxes(); n > limit {
					t.Errorf("%d answers wait, the limit is %d", n, limit)
				}
				answered, refused := p.tally(flood, func(f frames.Frame) {
					if len(f.Payload) > 4<<10 { // what takes of the window
						p.send(frames.Frame{Op: frames.OpCredit, Credit: uint64(len(f.Payload))})
					}
				})
				if n := runs.Load(); n != int64(answered) || answered <= limit || refused == 0 {
					t.Errorf("%d answered, %d refused, %d have run", answered, refused, n)
				}
				v.idle(t, p.name)
			}, withLimits(limit, 1<<20),
				gridtest.WithConfig(func(_ int, cfg *gridnode.Config) { cfg.QueueLimit = 64 << 10 }),
				gridtest.WithHandlers(func(_ int, m *gridnode.Manager) error { return m.RegisterSingleInline(hFlooded, h) }))
		})
	}
}

func TestAGoawayFloodIsLoggedOnce(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.connected(t)
		var flood []frames.Frame
		for range 1000 {
			flood = append(flood, frames.Frame{Op: frames.OpGoaway, Code: frames.CodeClosed, Text: []byte("tired")})
		}
		lines := v.lines("\n")
		p.send(flood...)
		p.wantNothing()
		if n := v.lines("\n") - lines; n != 1 {
			t.Errorf("%d lines", n)
		}
		p.send(p.request(1, hEcho, nil)) // it may still call
		p.want(frames.OpReply, 1)
	})
}

// floods are frames that make the node answer, each about as long as its answer.
var floods = map[string]func(p *rawPeer, i int) frames.Frame{
	"pings": func(p *rawPeer, i int) frames.Frame { return frames.Frame{Op: frames.OpPing, Credit: 1 << 60} },
	"unknown handler": func(p *rawPeer, i int) frames.Frame {
		return frames.Frame{Op: frames.OpRequest, Mux: uint64(2*i + 1), Target: 999}
	},
	"tiny singles":   func(p *rawPeer, i int) frames.Frame { return p.request(uint64(2*i+1), hTiny, nil) },
	"inline singles": func(p *rawPeer, i int) frames.Frame { return p.request(uint64(2*i+1), hTinyInline, nil) },
	"streams":        func(p *rawPeer, i int) frames.Frame { return p.open(uint64(2*i+1), hSource, 1000) },
}

// A peer that makes the node answer and never reads loses its session before the
// answers take much memory; others are served all the while.
func TestAFloodFromAPeerThatNeverReadsIsBounded(t *testing.T) {
	const most = 24 << 20 // bytes queued: QueueLimit, the fuse of the control lane and some
	for name, make := range floods {
		t.Run(name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				conn := v.conn(p.name)
				for i := 0; conn.State() == gridnode.StateConnected; {
					var fs []frames.Frame
					for range 5000 {
						fs = append(fs, make(p, i))
						i++
					}
					if p.write(p.frame(ws.OpBinary, p.batch(fs...))) != nil {
						break
					}
					if n := conn.Stats().QueuedBytes; n > most {
						t.Fatalf("%d bytes wait for a peer that does not read", n)
					}
					if i%100_000 == 0 {
						v.unharmed(t)
					}
					if i > 500_000 {
						break // what is not answered costs nothing; silence ends it
					}
				}
				v.waitLost(t, p.name)
				v.idle(t, p.name)
			}, withLimits(1000, 2000))
		})
	}
}
