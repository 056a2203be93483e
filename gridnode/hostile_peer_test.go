package gridnode_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/actorgrid/actorgrid/frames"
)

// rawPeer is a peer of the victim that the test plays by hand, byte by byte if it
// wants. It has no goroutine: it reads when the test asks for something, within
// rawPatience.
type rawPeer struct {
	t        testing.TB
	v        *victim
	name     string
	conn     net.Conn
	r        *bufio.Reader
	client   bool         // it has dialled: it masks, and opens odd mux IDs
	said     frames.Hello // what the node said of itself
	checksum bool
	queue    []frames.Frame
	pings    uint64
}

// rawPatience is how long a rawPeer waits for what it wants.
const rawPatience = 30 * time.Second

// bare opens a connection to the victim and sends nothing.
func (v *victim) bare(t testing.TB) *rawPeer {
	t.Helper()
	conn, err := v.Dial(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &rawPeer{t: t, v: v, name: v.dialler, conn: conn, r: bufio.NewReader(conn), client: true}
}

// upgraded is a bare connection that has become a WebSocket.
func (v *victim) upgraded(t testing.TB) *rawPeer {
	t.Helper()
	p := v.bare(t)
	if err := p.upgrade(v.Node(0).Local(), "/grid/v1"); err != nil {
		t.Fatal(err)
	}
	return p
}

// connected is a peer after a handshake in which it was the dialler.
func (v *victim) connected(t testing.TB) *rawPeer {
	t.Helper()
	p := v.upgraded(t)
	before := v.conn(p.name).Stats().Sessions
	p.hello(nil)
	p.accepted()
	v.waitConnected(t, p.name)
	eventually(t, "the session is counted", func() bool { return v.conn(p.name).Stats().Sessions > before })
	v.settle()
	return p
}

func (p *rawPeer) upgrade(host, path string) error {
	u, err := url.Parse(host + path)
	if err != nil {
		return err
	}
	p.conn.SetDeadline(time.Now().Add(rawPatience))
	br, _, err := ws.Dialer{}.Upgrade(p.conn, u)
	if br != nil {
		p.r = br
	}
	return err
}

// identity is what the peer says of itself if it is honest.
func (p *rawPeer) identity() frames.Hello {
	return frames.Hello{
		Version: frames.Version, Local: p.name, Remote: p.v.Name(0), Instance: [16]byte{1},
		Features: frames.FeatureChecksum, MaxMessage: 64 << 20, Window: 512 << 10, MaxMuxes: 1000,
		Handlers: []frames.HandlerInfo{
			{ID: uint16(hEcho), Kind: frames.KindSingle},
			{ID: uint16(hMux), Kind: frames.KindStream, In: 2, Out: 2},
		},
	}
}

// hello sends a hello; f, if there is one, spoils it first.
func (p *rawPeer) hello(f func(*frames.Hello)) {
	p.t.Helper()
	h := p.identity()
	if f != nil {
		f(&h)
	}
	p.message(ws.OpBinary, frames.AppendHello(nil, frames.OpHello, &h))
}

// handshake reads a message of the opening exchange.
func (p *rawPeer) handshake() frames.Handshake {
	p.t.Helper()
	msg, err := p.read()
	if err != nil {
		p.t.Fatalf("no answer: %v", err)
	}
	h, err := frames.DecodeHandshake(msg)
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

func (p *rawPeer) accepted() {
	p.t.Helper()
	h := p.handshake()
	if h.Op != frames.OpAccept {
		p.t.Fatalf("%v: %v, %q", h.Op, h.Code, h.Reason)
	}
	p.said, p.checksum = h.Hello, h.Hello.Features&frames.FeatureChecksum != 0
}

// refused wants a refusal with this code and a reason, then the end.
func (p *rawPeer) refused(code frames.Code) (reason string) {
	p.t.Helper()
	h := p.handshake()
	if h.Op != frames.OpRefuse || h.Code != code || h.Reason == "" {
		p.t.Errorf("got %v with code %v, reason %q; want a refusal with %v", h.Op, h.Code, h.Reason, code)
	}
	p.wantClosed()
	return h.Reason
}

// write sends bytes as they are.
func (p *rawPeer) write(b []byte) error {
	p.conn.SetWriteDeadline(time.Now().Add(rawPatience))
	_, err := p.conn.Write(b)
	return err
}

// frame makes a WebSocket frame.
func (p *rawPeer) frame(op ws.OpCode, payload []byte) []byte {
	f := ws.NewFrame(op, true, append([]byte(nil), payload...))
	if p.client {
		f = ws.MaskFrameInPlace(f)
	}
	return ws.MustCompileFrame(f)
}

// message sends one WebSocket message.
func (p *rawPeer) message(op ws.OpCode, payload []byte) {
	p.t.Helper()
	if err := p.write(p.frame(op, payload)); err != nil {
		p.t.Fatal(err)
	}
}

// batch encodes frames as one batch.
func (p *rawPeer) batch(fs ...frames.Frame) []byte {
	b := make([]byte, frames.ChecksumSize)
	for i := range fs {
		b = frames.Append(b, &fs[i])
	}
	if !p.checksum {
		return b[frames.ChecksumSize:]
	}
	frames.PutChecksum(b)
	return b
}

func (p *rawPeer) send(fs ...frames.Frame) {
	p.t.Helper()
	p.message(ws.OpBinary, p.batch(fs...))
}

// seal puts a checksum in front of what need not be frames.
func (p *rawPeer) seal(body []byte) []byte {
	b := append(make([]byte, frames.ChecksumSize), body...)
	frames.PutChecksum(b)
	return b
}

// read returns the next binary message.
func (p *rawPeer) read() ([]byte, error) { return p.readUntil(time.Now().Add(rawPatience)) }

func (p *rawPeer) readUntil(deadline time.Time) ([]byte, error) {
	p.conn.SetReadDeadline(deadline)
	for {
		//lint:ignore SA1019 the frames are this test's own
		f, err := ws.ReadFrame(p.r)
		if err != nil {
			return nil, err
		}
		if f.Header.Masked {
			ws.Cipher(f.Payload, f.Header.Mask, 0)
		}
		switch {
		case f.Header.OpCode == ws.OpClose:
			return nil, closedWith(f.Payload)
		case f.Header.OpCode == ws.OpBinary && f.Header.Fin:
			return f.Payload, nil
		}
	}
}

// closedError is the end by a close frame.
type closedError struct{ code uint16 }

func (e closedError) Error() string { return fmt.Sprintf("close frame with code %d", e.code) }

func closedWith(payload []byte) error {
	if len(payload) < 2 {
		return closedError{1005}
	}
	return closedError{binary.BigEndian.Uint16(payload)}
}

// next returns the next frame. Pings of the node are answered and not returned.
func (p *rawPeer) next() (frames.Frame, error) { return p.nextUntil(time.Now().Add(rawPatience)) }

func (p *rawPeer) nextUntil(deadline time.Time) (frames.Frame, error) {
	for {
		for len(p.queue) > 0 {
			f := p.queue[0]
			p.queue = p.queue[1:]
			if f.Op != frames.OpPing {
				return f, nil
			}
			if err := p.write(p.frame(ws.OpBinary, p.batch(frames.Frame{Op: frames.OpPong, Credit: f.Credit}))); err != nil {
				return f, err
			}
		}
		body, err := p.readUntil(deadline)
		if err != nil {
			return frames.Frame{}, err
		}
		if p.checksum {
			if body, err = frames.CheckBatch(body); err != nil {
				return frames.Frame{}, err
			}
		}
		for len(body) > 0 {
			var f frames.Frame
			if body, err = frames.Decode(body, &f); err != nil {
				return frames.Frame{}, err
			}
			p.queue = append(p.queue, f)
		}
	}
}

// want returns the next frame, which must be this one.
func (p *rawPeer) want(op frames.Op, mux uint64) frames.Frame {
	p.t.Helper()
	f, err := p.next()
	if err != nil {
		p.t.Fatalf("want %v for mux %d: %v", op, mux, err)
	}
	if f.Op != op || f.Mux != mux {
		p.t.Fatalf("want %v for mux %d, got %v", op, mux, show(f))
	}
	return f
}

// wantAll returns the next frames, whose order is the handlers' business, by mux ID.
// Every one must have this op.
func (p *rawPeer) wantAll(op frames.Op, n int) map[uint64]frames.Frame {
	p.t.Helper()
	got := make(map[uint64]frames.Frame, n)
	for range n {
		f, err := p.next()
		if err != nil || f.Op != op {
			p.t.Fatalf("want %d of %v, got %v after %d: %v", n, op, show(f), len(got), err)
		}
		if old, twice := got[f.Mux]; twice {
			p.t.Fatalf("two for one mux: %v and %v", show(old), show(f))
		}
		got[f.Mux] = f
	}
	return got
}

// wantStatus wants a final status with this code.
func (p *rawPeer) wantStatus(mux uint64, code frames.Code) {
	p.t.Helper()
	if f := p.want(frames.OpStatus, mux); f.Code != code {
		p.t.Fatalf("want status %v for mux %d, got %v", code, mux, show(f))
	}
}

// wantNothing wants that the node has sent nothing, and that the session lives.
func (p *rawPeer) wantNothing() {
	p.t.Helper()
	p.v.settle()
	p.pings++
	p.send(frames.Frame{Op: frames.OpPing, Credit: p.pings})
	if f := p.want(frames.OpPong, 0); f.Credit != p.pings {
		p.t.Fatalf("pong with %d", f.Credit)
	}
}

// wantClosed wants the end of the connection, by the node, and nothing before it.
func (p *rawPeer) wantClosed() {
	p.t.Helper()
	if f, err := p.next(); !ended(err) {
		p.t.Fatalf("want the end, got %v, %v", show(f), err)
	}
}

// drained reads to the end of the connection, whatever comes before.
func (p *rawPeer) drained() {
	p.t.Helper()
	deadline := time.Now().Add(rawPatience)
	for {
		if _, err := p.nextUntil(deadline); err != nil {
			if !ended(err) {
				p.t.Fatalf("want the end: %v", err)
			}
			return
		}
	}
}

// ended tells an end that the other side made from patience that has run out.
func ended(err error) bool {
	var closed closedError
	return errors.As(err, &closed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.Canceled) && isNetError(err)
}

func isNetError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

func show(f frames.Frame) string {
	return fmt.Sprintf("%v mux %d flags %d code %v credit %d text %q, %d bytes", f.Op, f.Mux, f.Flags, f.Code, f.Credit, f.Text, len(f.Payload))
}
