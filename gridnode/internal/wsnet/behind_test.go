//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"io"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A connection is behind while its handler is held up and more has come.
func TestAConnectionIsBehindWithWhatNobodyHasRead(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			h, proceed := n.host(t), make(chan struct{})
			conn, e := h.raw(t, func(e *end, msg []byte) error { e.got <- msg; <-proceed; return nil })
			if !h.tcp || n.name == "wrapped" {
				if e.Unread() || e.Room() || e.Unacked() != 0 {
					t.Error("behind, without a socket to ask")
				}
				return
			}
			say := func(word string) { conn.Write(sent(server(0), fin|opBinary, []byte(word))) }
			eventually(t, "it has nothing to read", func() bool { return !e.Unread() })
			say("one")
			receive(t, e.got)
			say("two")
			eventually(t, "it is behind", e.Unread)
			proceed <- struct{}{}
			receive(t, e.got)
			proceed <- struct{}{}
			eventually(t, "it has caught up", func() bool { return !e.Unread() })
		})
	}
}

// A peer that takes nothing is no reason to be behind.
func TestAConnectionIsNotBehindItsPeer(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		n := stall(t, e, pattern(60_000))
		eventually(t, "the peer is what it waits for", func() bool { return !e.Room() && !e.Unread() })
		wantBytes(t, conn, n)
	})
}

// A peer that reads slowly is seen to read long before the socket has room again.
func TestAPeerThatReadsSlowlyIsSeenTo(t *testing.T) {
	for _, n := range networks[:3] { // those with a socket
		t.Run(n.name, func(t *testing.T) {
			h := n.host(t)
			conn, e := h.raw(t, nil)
			if tcp := pollable(conn); tcp != nil {
				tcp.SetReadBuffer(4 << 10) // it takes in small steps, also on a loopback
			}
			stall(t, e, pattern(4000))
			written, held := e.LastWrite(), e.Unacked()
			if held == 0 {
				t.Skip("not known on this system")
			}
			eventually(t, "the peer has taken something", func() bool {
				if _, err := io.ReadFull(conn, make([]byte, 1000)); err != nil {
					t.Fatal(err)
				}
				return e.Unacked() != held
			})
			if e.LastWrite() != written {
				t.Error("the socket had room before")
			}
		})
	}
}

func TestASocketIsReadyWithBytesRoomOrItsEnd(t *testing.T) {
	near, far, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	defer far.Close()
	fd := int(near.Fd())
	want := func(when string, reading, writing bool) {
		t.Helper()
		if r, w := ready(fd, unix.POLLIN), ready(fd, unix.POLLOUT); r != reading || w != writing {
			t.Errorf("%s: %v to read, and %v to write", when, r, w)
		}
	}
	want("empty", false, true)
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = syscall.Write(fd, make([]byte, 4096))
	}
	want("full", false, false)
	far.Write([]byte{0})
	want("with a byte", true, false)
	syscall.Read(fd, make([]byte, 1))
	want("full again", false, false)
	far.Close()
	want("ended", true, true)
}
