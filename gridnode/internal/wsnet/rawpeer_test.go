package wsnet

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// rawReader reads what a connection's peer sends, by hand.
type rawReader struct {
	conn net.Conn
	r    *bufio.Reader
}

func newReader(conn net.Conn) *rawReader {
	conn.SetReadDeadline(time.Now().Add(patience))
	return &rawReader{conn, bufio.NewReader(conn)}
}

func (r *rawReader) skipAnswer(tb testing.TB) {
	tb.Helper()
	answer, err := http.ReadResponse(r.r, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatalf("answer %v, %v", answer, err)
	}
}

func (r *rawReader) next(tb testing.TB, n int) []byte {
	tb.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r.r, b); err != nil {
		tb.Fatal(err)
	}
	return b
}

// frame reads a frame and unmasks it.
func (r *rawReader) frame(tb testing.TB) (op byte, payload string) {
	tb.Helper()
	//lint:ignore SA1019 the frames are this test's own
	f, err := ws.ReadFrame(r.r)
	if err != nil {
		tb.Fatal(err)
	}
	if f.Header.Masked {
		f = ws.UnmaskFrame(f)
	}
	return byte(f.Header.OpCode), string(f.Payload)
}

// wantFrame waits for one frame.
func (r *rawReader) wantFrame(tb testing.TB, op byte, payload string) {
	tb.Helper()
	if gotOp, got := r.frame(tb); gotOp != op || got != payload {
		tb.Fatalf("got a frame of op %d: %q, want op %d: %q", gotOp, got, op, payload)
	}
}

// wantEOF waits for the end, of which TLS complains.
func (r *rawReader) wantEOF(tb testing.TB) {
	tb.Helper()
	n, err := io.Copy(io.Discard, r.r)
	if ne, ok := errors.AsType[net.Error](err); n > 0 || ok && ne.Timeout() {
		tb.Fatalf("%d bytes more, then %v", n, err)
	}
}

// answer writes the answer to an upgrade by hand.
func answer(w io.Writer, nonce string) {
	io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+accept(nonce)+"\r\n\r\n")
}
