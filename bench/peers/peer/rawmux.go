package peer

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
)

// RawMux is the second floor: length-prefixed requests over one TCP connection,
// matched by a number, and as little else as possible. No contexts, no limits, no
// checksum, no handlers: the reader itself echoes.
func RawMux() *Peer {
	return &Peer{
		Name: "rawmux", Role: Floor, About: "length-prefixed mux over one TCP connection, combined writes, nothing else", OneConnection: true,
		Serve: func(string) (Server, error) {
			return listen(func(c net.Conn) { newRawEnd(c).run() })
		},
		NewDialer: anonymous(func(addr string) (Client, error) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return nil, err
			}
			return newMux(newRawEnd(c)), nil
		}),
		NewMesh: func(n int) (Mesh, error) {
			end := func(c net.Conn) (symmetric, error) { return newRawEnd(c), nil }
			return newMuxMesh(n, end, end)
		},
	}
}

const rawHeader = 8 // length, then number with responseBit

// rawEnd is one end of a connection. Callers and the reader append to out; the
// first that finds nobody writing writes for all. The reader may so wait in a write:
// two ends that both call must keep less in flight than the socket buffers hold.
type rawEnd struct {
	conn  net.Conn
	calls calls
	slots sync.Pool // of chan []byte

	mu      sync.Mutex
	out     []byte
	spare   []byte
	writing bool
	err     error
}

func newRawEnd(conn net.Conn) *rawEnd {
	e := &rawEnd{conn: conn}
	e.slots.New = func() any { return make(chan []byte, 1) }
	return e
}

func (e *rawEnd) call() Call { return e.request }

func (e *rawEnd) request(_ context.Context, req []byte) ([]byte, error) {
	reply := e.slots.Get().(chan []byte)
	id, inFlight, err := e.calls.add(reply)
	if err != nil {
		return nil, err
	}
	e.append(id, req)
	if err := e.flush(inFlight > 1); err != nil {
		return nil, err
	}
	resp, ok := <-reply
	if !ok {
		return nil, e.calls.cause()
	}
	e.slots.Put(reply)
	return resp, nil
}

func (e *rawEnd) append(id uint32, payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out = binary.BigEndian.AppendUint32(e.out, uint32(len(payload)))
	e.out = binary.BigEndian.AppendUint32(e.out, id)
	e.out = append(e.out, payload...)
}

// flush writes what has been appended, unless somebody does already. company: others
// are likely to append soon.
func (e *rawEnd) flush(company bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.writing || e.err != nil {
		return e.err
	}
	e.writing = true
	for len(e.out) > 0 && e.err == nil {
		if company {
			e.mu.Unlock()
			runtime.Gosched()
			e.mu.Lock()
		}
		batch := e.out
		e.out, e.spare = e.spare[:0], nil
		e.mu.Unlock()
		_, err := e.conn.Write(batch)
		e.mu.Lock()
		e.spare, e.err = batch[:0], err
	}
	e.writing = false
	return e.err
}

func (e *rawEnd) run() { e.calls.fail(e.read()) }

// read dispatches frames, and flushes once per read from the socket.
func (e *rawEnd) read() error {
	r := bufio.NewReaderSize(e.conn, streamBuffer)
	var scratch []byte // of requests
	for {
		if r.Buffered() < rawHeader {
			if err := e.flush(false); err != nil {
				return err
			}
		}
		head, err := r.Peek(rawHeader)
		if err != nil {
			return err
		}
		n, id := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
		r.Discard(rawHeader)
		if n > MaxMessage {
			return fmt.Errorf("message of %d bytes, limit %d", n, MaxMessage)
		}
		if id&responseBit != 0 {
			err = e.respond(r, id&^responseBit, n)
		} else {
			scratch, err = e.echo(r, id, n, scratch)
		}
		if err != nil {
			return err
		}
	}
}

// respond gives a response to its caller.
func (e *rawEnd) respond(r io.Reader, id, n uint32) error {
	resp := make([]byte, n)
	if _, err := io.ReadFull(r, resp); err != nil {
		return err
	}
	if reply := e.calls.take(id); reply != nil {
		reply <- resp
	}
	return nil
}

// echo appends the response to a request; scratch is grown as needed.
func (e *rawEnd) echo(r io.Reader, id, n uint32, scratch []byte) ([]byte, error) {
	if cap(scratch) < int(n) {
		scratch = make([]byte, n)
	}
	if _, err := io.ReadFull(r, scratch[:n]); err != nil {
		return scratch, err
	}
	e.append(id|responseBit, scratch[:n])
	return scratch, nil
}

func (e *rawEnd) Close() error { return e.conn.Close() }
