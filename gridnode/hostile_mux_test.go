package gridnode_test

import (
	"errors"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode"
)

// What concerns one mux ends that mux, and the peer is told; the session, and the
// other muxes of it, go on.
func TestABreachWithinAMuxEndsThatMuxOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(p *rawPeer) // mux 3 is the one that suffers
		code frames.Code
	}{
		{"unknown single", func(p *rawPeer) {
			p.send(frames.Frame{Op: frames.OpRequest, Mux: 3, Target: 1 << 31})
		}, frames.CodeUnknownHandler},
		{"unknown stream", func(p *rawPeer) {
			p.send(frames.Frame{Op: frames.OpOpen, Mux: 3, Target: 77, Credit: 1})
		}, frames.CodeUnknownHandler},
		{"a stream called as a single", func(p *rawPeer) { p.send(p.request(3, hMux, nil)) }, frames.CodeUnknownHandler},
		{"a single opened as a stream", func(p *rawPeer) { p.send(p.open(3, hEcho, 1)) }, frames.CodeUnknownHandler},
		{"credit overrun", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), data(3, "a"), data(3, "b"), data(3, "c"))
		}, frames.CodeProtocol},
		{"data for a handler that takes none", func(p *rawPeer) {
			p.send(p.open(3, hSource, 0), data(3, "a"))
		}, frames.CodeProtocol},
		{"data after the half-close", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), frames.Frame{Op: frames.OpCloseSend, Mux: 3}, data(3, "a"))
		}, frames.CodeProtocol},
		{"half-close within a message", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), begun(3, frames.OpData, 10, "abc"), frames.Frame{Op: frames.OpCloseSend, Mux: 3})
		}, frames.CodeProtocol},
		{"a message within the fragments of another", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), begun(3, frames.OpData, 10, "abc"), data(3, "a"))
		}, frames.CodeProtocol},
		{"a message begun within the fragments of another", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), begun(3, frames.OpData, 10, "abc"), begun(3, frames.OpData, 10, "abc"))
		}, frames.CodeProtocol},
		{"oversized message", func(p *rawPeer) {
			p.send(p.open(3, hSink, 1), begun(3, frames.OpData, 1<<40, "abc"))
		}, frames.CodeMessageTooLarge},
		{"oversized request", func(p *rawPeer) {
			f := p.request(3, hEcho, []byte("abc"))
			f.Flags, f.Size = frames.FlagMore, 1<<63
			p.send(f)
		}, frames.CodeMessageTooLarge},
		{"oversized payload of a stream", func(p *rawPeer) {
			f := p.open(3, hSink, 1)
			f.Flags, f.Size = frames.FlagMore, 64<<20+1
			p.send(f)
		}, frames.CodeMessageTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				p.send(p.open(1, hSink, 1)) // the other mux
				lines := v.lines("\n")
				c.do(p)
				for f := (frames.Frame{}); f.Op != frames.OpStatus; { // hSource may have sent
					var err error
					if f, err = p.next(); err != nil || f.Mux != 3 {
						t.Fatalf("%v, %v", show(f), err)
					}
					if f.Op == frames.OpStatus && f.Code != c.code {
						t.Errorf("%v, want %v", show(f), c.code)
					}
				}
				p.wantNothing()
				if st := v.conn(p.name).Stats(); st.ServingStreams != 1 || st.ServingCalls != 0 {
					t.Errorf("the other stream has not survived: %+v", st)
				}
				p.send(p.request(5, hEcho, []byte("next")), frames.Frame{Op: frames.OpCancel, Mux: 1, Code: frames.CodeCanceled})
				p.wantEither(frames.OpReply, 5, frames.OpStatus, 1)
				v.idle(t, p.name)
				p.wantNothing() // the session lives: nothing had to wait for its end
				if n := v.lines("\n") - lines; n != 0 {
					t.Errorf("%d lines logged:\n%s", n, v.log.String())
				}
			})
		})
	}
}

// begun is the first fragment of a message.
func begun(mux uint64, op frames.Op, size uint64, text string) frames.Frame {
	return frames.Frame{Op: op, Mux: mux, Flags: frames.FlagMore, Size: size, Payload: []byte(text)}
}

// wantEither wants these two frames, in any order.
func (p *rawPeer) wantEither(opA frames.Op, muxA uint64, opB frames.Op, muxB uint64) {
	p.t.Helper()
	f, err := p.next()
	switch {
	case err != nil:
		p.t.Fatal(err)
	case f.Op == opA && f.Mux == muxA:
		p.want(opB, muxB)
	case f.Op == opB && f.Mux == muxB:
		p.want(opA, muxA)
	default:
		p.t.Fatalf("got %v", show(f))
	}
}

// Frames that crossed the end of a mux are ignored: no reply, however many come, and
// no line.
func TestFramesForAMuxThatHasEndedAreIgnored(t *testing.T) {
	onMemory(t, func(t *testing.T, v *victim) {
		p := v.connected(t)
		p.send(p.request(1, hEcho, nil), frames.Frame{Op: frames.OpOpen, Mux: 3, Target: 77})
		p.wantEither(frames.OpReply, 1, frames.OpStatus, 3)
		client, err := v.conn(p.name).OpenMux(t.Context(), hMux, nil) // mux 2
		if err != nil {
			t.Fatal(err)
		}
		p.want(frames.OpOpen, 2)
		p.send(frames.Frame{Op: frames.OpStatus, Mux: 2})
		if _, err := client.Recv(t.Context()); err == nil {
			t.Fatal("no end")
		}
		before, lines := v.conn(p.name).Stats().BytesOut, v.lines("\n")
		var late []frames.Frame
		for range 100 {
			for _, mux := range []uint64{1, 3} {
				late = append(late,
					data(mux, "late"),
					frames.Frame{Op: frames.OpCredit, Mux: mux, Credit: 1},
					frames.Frame{Op: frames.OpCloseSend, Mux: mux},
					frames.Frame{Op: frames.OpCancel, Mux: mux, Code: frames.CodeCanceled},
					frames.Frame{Op: frames.OpRequest, Mux: mux, Flags: frames.FlagCont, Payload: []byte("x")},
					frames.Frame{Op: frames.OpOpen, Mux: mux, Flags: frames.FlagCont | frames.FlagMore, Payload: []byte("x")},
				)
			}
			late = append(late,
				frames.Frame{Op: frames.OpStatus, Mux: 2}, frames.Frame{Op: frames.OpStatus, Mux: 2, Code: frames.CodeOverloaded},
				data(2, "late"), frames.Frame{Op: frames.OpCredit, Mux: 2, Credit: 1})
		}
		p.send(late...)
		p.wantNothing()
		if n := v.conn(p.name).Stats().BytesOut - before; n > 100 { // the pong
			t.Errorf("%d bytes in answer", n)
		}
		if n := v.lines("\n") - lines; n != 0 {
			t.Errorf("%d lines", n)
		}
		v.idle(t, p.name)
	})
}

// A reply, a status, data and credit that the node's own calls did not ask for.
func TestANodeAsCallerSurvivesAHostilePeer(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(p *rawPeer)
		want error
	}{
		{"status OK for a single", func(p *rawPeer) { p.send(frames.Frame{Op: frames.OpStatus, Mux: 2}) }, gridnode.ErrProtocol},
		{"oversized reply", func(p *rawPeer) { p.send(begun(2, frames.OpReply, 1<<50, "x")) }, gridnode.ErrMessageTooLarge},
		{"unknown code", func(p *rawPeer) {
			p.send(frames.Frame{Op: frames.OpStatus, Mux: 2, Code: 999, Text: []byte("\xff\xfe\x00")})
		}, nil},
		{"a lie about the connection", func(p *rawPeer) {
			p.send(frames.Frame{Op: frames.OpStatus, Mux: 2, Code: frames.CodeNotSent, Text: []byte("not sent")})
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMemory(t, func(t *testing.T, v *victim) {
				p := v.connected(t)
				result := make(chan error, 1)
				go func() { // ends with the call, which is waited for
					_, err := v.conn(p.name).Request(t.Context(), hEcho, nil)
					result <- err
				}()
				p.want(frames.OpRequest, 2)
				c.do(p)
				err := <-result
				var e *gridnode.Error
				if !errors.As(err, &e) || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%#v, want %v", err, c.want)
				}
				if errors.Is(err, gridnode.ErrNotSent) {
					t.Errorf("the peer makes the caller believe that nothing was sent: %v", err)
				}
				if c.want == gridnode.ErrMessageTooLarge {
					p.want(frames.OpCancel, 2)
				}
				p.wantNothing()
				v.idle(t, p.name)
			})
		})
	}
}
