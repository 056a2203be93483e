//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import (
	"syscall"
	"testing"
)

// A connection is behind while its handler is held up and more has come.
func TestAConnectionIsBehindWithWhatNobodyHasRead(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			h, proceed := n.host(t), make(chan struct{})
			conn, e := h.raw(t, func(e *end, msg []byte) error { e.got <- msg; <-proceed; return nil })
			if !h.tcp || n.name == "wrapped" {
				if e.Behind() {
					t.Error("behind, without a socket to ask")
				}
				return
			}
			say := func(word string) { conn.Write(sent(server(0), fin|opBinary, []byte(word))) }
			eventually(t, "it has nothing to read", func() bool { return !e.Behind() })
			say("one")
			receive(t, e.got)
			say("two")
			eventually(t, "it is behind", e.Behind)
			proceed <- struct{}{}
			receive(t, e.got)
			proceed <- struct{}{}
			eventually(t, "it has caught up", func() bool { return !e.Behind() })
		})
	}
}

// A peer that takes nothing is no reason to be behind.
func TestAConnectionIsNotBehindItsPeer(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, h *host) {
		conn, e := h.raw(t, nil)
		n := stall(t, e, pattern(60_000))
		eventually(t, "the peer is what it waits for", func() bool { return !e.Behind() })
		wantBytes(t, conn, n)
	})
}

func TestASocketIsUnservedWithBytesRoomOrItsEnd(t *testing.T) {
	near, far, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	defer far.Close()
	fd := int(near.Fd())
	want := func(when string, reading, writing bool) {
		t.Helper()
		if r, w := unserved(fd, false), unserved(fd, true); r != reading || w != writing {
			t.Errorf("%s: %v, and %v with something to write", when, r, w)
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
	want("with a byte", true, true)
	syscall.Read(fd, make([]byte, 1))
	want("full again", false, false)
	far.Close()
	want("ended", true, true)
}
