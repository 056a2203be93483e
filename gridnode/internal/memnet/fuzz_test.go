package memnet

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzLink plays any sequence of writes, reads and faults. Whatever it is, the reader
// gets a prefix of what was written, never more is under way than the window, and
// when all faults are undone the rest arrives, unless the link was cut.
func FuzzLink(f *testing.F) {
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 400 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			d := &driver{t: t, net: New()}
			d.net.SetBuffer(300)
			d.a, d.b = connect(t, d.net)
			d.link = d.net.Link("a", "b")
			for ; len(script) >= 2; script = script[2:] {
				d.step(script[0], int(script[1]))
			}
			d.finish()
		})
	})
}

type driver struct {
	t     *testing.T
	net   *Network
	link  *Link
	a, b  *Conn
	wrote int // bytes that a's Write took
	read  []byte
	cut   bool // a cut was asked for: the rest may be missing
}

func (d *driver) step(op byte, arg int) {
	switch op % 9 {
	case 0:
		d.write(arg)
	case 1:
		d.readSome(arg)
	case 2:
		d.link.Delay(time.Duration(arg) * time.Millisecond)
	case 3:
		d.link.Throttle(arg * 10)
	case 4:
		d.link.Stall()
	case 5:
		d.link.Resume()
	case 6:
		<-time.After(time.Duration(arg) * time.Millisecond)
	case 7:
		d.link.CutAfter(arg * 10)
		d.cut = true
	case 8:
		if arg == 0 {
			d.link.Cut()
			d.cut = true
		}
	}
	d.check()
}

func (d *driver) write(size int) {
	data := pattern(d.wrote + size)
	d.a.SetWriteDeadline(time.Now().Add(time.Millisecond))
	n, err := d.a.Write(data[d.wrote:])
	d.wrote += n
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !d.cut {
		d.t.Fatalf("Write = %v", err)
	}
}

func (d *driver) readSome(size int) {
	d.b.SetReadDeadline(time.Now().Add(time.Millisecond))
	buf := make([]byte, size)
	n, err := d.b.Read(buf)
	d.read = append(d.read, buf[:n]...)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !d.cut {
		d.t.Fatalf("Read = %v", err)
	}
}

func (d *driver) check() {
	d.link.mu.Lock()
	defer d.link.mu.Unlock()
	p := d.a.out
	sum := 0
	for _, s := range p.flight {
		sum += len(s.data)
	}
	if sum != p.flying || p.room() < 0 {
		d.t.Fatalf("%d bytes in flight, counted as %d; %d more fit", sum, p.flying, p.room())
	}
}

func (d *driver) finish() {
	d.link.Resume()
	d.link.Throttle(0)
	d.a.Close()
	d.b.SetReadDeadline(time.Time{})
	rest, err := io.ReadAll(d.b)
	d.read = append(d.read, rest...)
	if err != nil && (!d.cut || !errors.Is(err, syscall.ECONNRESET)) {
		d.t.Fatalf("the end is %v", err)
	}
	if len(d.read) > d.wrote || !bytes.Equal(d.read, pattern(len(d.read))) {
		d.t.Fatalf("read %d of %d bytes, not what was written", len(d.read), d.wrote)
	}
	if err == nil && len(d.read) != d.wrote {
		d.t.Fatalf("read %d of %d bytes, and then the end as if that were all", len(d.read), d.wrote)
	}
	if got := d.link.Passed(); got != len(d.read) {
		d.t.Fatalf("%d bytes passed, %d were read", got, len(d.read))
	}
}
