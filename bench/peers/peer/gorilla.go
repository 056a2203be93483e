package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Gorilla is a reference of our own: what is often written first over
// gorilla/websocket. One mutex guards writes, each frame is a message, a goroutine
// serves each request.
func Gorilla() *Peer {
	return &Peer{
		Name: "gorilla-mux", Role: Reference, OneConnection: true, Module: "github.com/gorilla/websocket",
		About: "our own: gorilla/websocket, one mutex around writes, a goroutine per request",
		Serve: serveGorilla,
		NewDialer: anonymous(func(addr string) (Client, error) {
			c, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/", nil)
			if err != nil {
				return nil, err
			}
			return newMux(&gorillaEnd{conn: c}), nil
		}),
	}
}

func serveGorilla(string) (Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &gorillaServer{addr: l.Addr().String()}
	s.http.Handler = http.HandlerFunc(s.accept)
	s.wg.Go(func() { s.http.Serve(l) })
	return s, nil
}

// gorillaServer owns its connections, which net/http has handed over.
type gorillaServer struct {
	addr string
	http http.Server
	wg   sync.WaitGroup

	mu    sync.Mutex
	ends  []*gorillaEnd
	ended bool
}

func (s *gorillaServer) accept(w http.ResponseWriter, r *http.Request) {
	c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	e := &gorillaEnd{conn: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		e.Close()
		return
	}
	s.ends = append(s.ends, e)
	s.wg.Go(e.run)
}

func (s *gorillaServer) Addr() string { return s.addr }

func (s *gorillaServer) Close() error {
	err := s.http.Close()
	s.mu.Lock()
	s.ended = true
	for _, e := range s.ends {
		e.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

// gorillaEnd is one end of a connection.
type gorillaEnd struct {
	conn     *websocket.Conn
	calls    calls
	handlers sync.WaitGroup

	mu sync.Mutex // of writes
}

func (e *gorillaEnd) call() Call { return e.request }

func (e *gorillaEnd) request(ctx context.Context, req []byte) ([]byte, error) {
	reply := make(chan []byte, 1)
	id, _, err := e.calls.add(reply)
	if err != nil {
		return nil, err
	}
	if err := e.send(id, req); err != nil {
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
		return nil, ctx.Err()
	}
}

func (e *gorillaEnd) send(id uint32, payload []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(payload)), id)
	b = append(b, payload...)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conn.WriteMessage(websocket.BinaryMessage, b)
}

func (e *gorillaEnd) run() {
	err := e.read()
	e.conn.Close()
	e.calls.fail(err)
	e.handlers.Wait()
}

func (e *gorillaEnd) read() error {
	e.conn.SetReadLimit(MaxMessage + 4)
	for {
		_, b, err := e.conn.ReadMessage()
		if err != nil {
			return err
		}
		if len(b) < 4 {
			return errors.New("short message")
		}
		id, payload := binary.BigEndian.Uint32(b), b[4:]
		if id&responseBit == 0 {
			e.handlers.Go(func() { e.send(id|responseBit, payload) })
		} else if reply := e.calls.take(id &^ responseBit); reply != nil {
			reply <- payload
		}
	}
}

func (e *gorillaEnd) Close() error { return e.conn.Close() }
