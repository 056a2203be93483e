package peer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// Original is a reference of our own in the shape that grids of this kind had
// first: WebSocket over blocking sockets, a reader goroutine, a writer goroutine fed
// by a channel, and a goroutine and a context per request.
func Original() *Peer {
	return &Peer{
		Name: "original-shape", Role: Reference, OneConnection: true, Module: "github.com/gobwas/ws",
		About: "our own: gobwas/ws, channel-fed writer goroutine, a goroutine and a context per request",
		Serve: func(string) (Server, error) {
			return listen(func(c net.Conn) {
				if end, err := acceptOriginal(c); err == nil {
					end.run()
				}
			})
		},
		NewDialer: anonymous(func(addr string) (Client, error) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return nil, err
			}
			end, err := dialOriginal(c)
			if err != nil {
				return nil, err
			}
			return newMux(end), nil
		}),
		NewMesh: func(n int) (Mesh, error) { return newMuxMesh(n, acceptOriginal, dialOriginal) },
	}
}

func acceptOriginal(c net.Conn) (symmetric, error) {
	if _, err := ws.Upgrade(c); err != nil {
		c.Close()
		return nil, err
	}
	return newOriginalEnd(c, bufio.NewReaderSize(c, originalBuffer), false), nil
}

func dialOriginal(c net.Conn) (symmetric, error) {
	// The server speaks first only when it calls: r may then hold its first frames.
	d := ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return c, nil }}
	_, r, _, err := d.Dial(context.Background(), "ws://node/")
	if err != nil {
		c.Close()
		return nil, err
	}
	var in io.Reader = c
	if r != nil {
		rest, _ := r.Peek(r.Buffered())
		in = io.MultiReader(bytes.NewReader(bytes.Clone(rest)), c)
		ws.PutReader(r)
	}
	return newOriginalEnd(c, bufio.NewReaderSize(in, originalBuffer), true), nil
}

const (
	originalBuffer   = 32 << 10
	originalQueue    = 512 // frames
	originalHeader   = 5   // op, number
	originalDeadline = time.Minute
)

const (
	opRequest = iota
	opResponse
	opCancel
)

// originalEnd is one end of a connection.
type originalEnd struct {
	conn  net.Conn
	r     *bufio.Reader
	mask  bool // the dialling side masks
	calls calls
	out   chan []byte // frames without WebSocket header
	gone  chan struct{}
	wg    sync.WaitGroup // writer and handlers

	mu      sync.Mutex
	running map[uint32]context.CancelFunc
}

func newOriginalEnd(c net.Conn, r *bufio.Reader, mask bool) *originalEnd {
	return &originalEnd{
		conn: c, r: r, mask: mask,
		out: make(chan []byte, originalQueue), gone: make(chan struct{}),
		running: make(map[uint32]context.CancelFunc),
	}
}

func (e *originalEnd) call() Call { return e.request }

func (e *originalEnd) request(ctx context.Context, req []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, originalDeadline)
	defer cancel()
	reply := make(chan []byte, 1)
	id, _, err := e.calls.add(reply)
	if err != nil {
		return nil, err
	}
	if err := e.send(ctx, opRequest, id, req); err != nil {
		e.calls.take(id)
		return nil, err
	}
	select {
	case resp, ok := <-reply:
		if !ok {
			return nil, e.calls.cause()
		}
		return resp, nil
	case <-ctx.Done():
		e.calls.take(id)
		e.send(context.Background(), opCancel, id, nil)
		return nil, ctx.Err()
	}
}

// send hands a frame to the writer.
func (e *originalEnd) send(ctx context.Context, op byte, id uint32, payload []byte) error {
	b := make([]byte, originalHeader, originalHeader+len(payload))
	b[0] = op
	binary.BigEndian.PutUint32(b[1:], id)
	select {
	case e.out <- append(b, payload...):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.gone:
		return net.ErrClosed
	}
}

// write is the writer: one WebSocket message per frame, one flush for all that wait.
func (e *originalEnd) write() {
	w := bufio.NewWriterSize(e.conn, originalBuffer)
	for {
		select {
		case b := <-e.out:
			e.writeFrame(w, b)
		case <-e.gone:
			return
		}
		for n := len(e.out); n > 0; n-- {
			e.writeFrame(w, <-e.out)
		}
		if w.Flush() != nil {
			e.conn.Close() // which ends the reader
			return
		}
	}
}

// writeFrame's errors stay in w for Flush.
func (e *originalEnd) writeFrame(w *bufio.Writer, b []byte) {
	h := ws.Header{Fin: true, OpCode: ws.OpBinary, Length: int64(len(b)), Masked: e.mask}
	if e.mask {
		h.Mask = ws.NewMask()
		ws.Cipher(b, h.Mask, 0)
	}
	ws.WriteHeader(w, h)
	w.Write(b)
}

func (e *originalEnd) run() {
	e.wg.Go(e.write)
	err := e.read()
	e.conn.Close()
	close(e.gone)
	e.calls.fail(err)
	e.mu.Lock()
	for _, cancel := range e.running {
		cancel()
	}
	e.mu.Unlock()
	e.wg.Wait()
}

func (e *originalEnd) read() error {
	for {
		h, err := ws.ReadHeader(e.r)
		if err != nil {
			return err
		}
		if h.OpCode != ws.OpBinary || h.Length < originalHeader || h.Length > MaxMessage+originalHeader {
			return fmt.Errorf("WebSocket frame %+v", h)
		}
		b := make([]byte, h.Length)
		if _, err := io.ReadFull(e.r, b); err != nil {
			return err
		}
		if h.Masked {
			ws.Cipher(b, h.Mask, 0)
		}
		e.dispatch(b[0], binary.BigEndian.Uint32(b[1:]), b[originalHeader:])
	}
}

func (e *originalEnd) dispatch(op byte, id uint32, payload []byte) {
	switch op {
	case opRequest:
		ctx, cancel := context.WithTimeout(context.Background(), originalDeadline)
		e.mu.Lock()
		e.running[id] = cancel
		e.mu.Unlock()
		e.wg.Go(func() { e.handle(ctx, cancel, id, payload) })
	case opResponse:
		if reply := e.calls.take(id); reply != nil {
			reply <- payload
		}
	case opCancel:
		e.mu.Lock()
		if cancel := e.running[id]; cancel != nil {
			cancel()
		}
		e.mu.Unlock()
	}
}

// handle is the handler of one request: an echo.
func (e *originalEnd) handle(ctx context.Context, cancel context.CancelFunc, id uint32, payload []byte) {
	defer cancel()
	e.send(ctx, opResponse, id, payload)
	e.mu.Lock()
	delete(e.running, id)
	e.mu.Unlock()
}

func (e *originalEnd) Close() error { return e.conn.Close() }
