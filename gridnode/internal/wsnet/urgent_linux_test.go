package wsnet

import (
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// A WebSocket has no urgent data. A byte of it that is not read would be an event for
// ever (EPOLLPRI), for which the poller would spin.
func TestAnUrgentByteIsAByteLikeAnyOther(t *testing.T) {
	for _, n := range networks {
		if n.name == "wrapped" || n.name == "pipe" { // no socket of ours
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			h := n.host(t)
			conn, e := h.raw(t, nil)
			if h.options.TLS != nil {
				sendUrgent(t, conn, pattern(5)) // no header of a record
				if err := e.wantEnd(t); errors.Is(err, io.EOF) {
					t.Error(err)
				}
				return
			}
			frame := sent(server(0), fin|opBinary, []byte("x"))
			conn.Write(frame[:len(frame)-1])
			sendUrgent(t, conn, frame[len(frame)-1:])
			if got := receive(t, e.got); string(got) != "x" {
				t.Errorf("%q", got)
			}
		})
	}
}

func sendUrgent(t *testing.T, conn net.Conn, data []byte) {
	t.Helper()
	raw, err := tcpBelow(conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var sending error
	if err := raw.Control(func(fd uintptr) { sending = unix.Sendto(int(fd), data, unix.MSG_OOB, nil) }); err != nil || sending != nil {
		t.Fatal(err, sending)
	}
}
