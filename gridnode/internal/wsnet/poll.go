package wsnet

import (
	"io"
	"net"
	"runtime"

	"github.com/lesismal/nbio"
)

// yields is how often a poller yields after a batch. nbio's pollers wait in a raw
// epoll_wait that keeps the P, so what the batch has woken would wait for sysmon.
// With none a lone caller takes 77 to 102 us, with one the caller's own yield before
// its flush makes it 130 us, with two 22 to 28 (bench/tuning).
const yields = 2

// pollConn is the transport on nbio's event loop. It has no goroutine: a poller of
// the engine calls back.
type pollConn struct {
	base
	conn *nbio.Conn
}

// startPoll hands a TCP connection to the engine. leftover has been read already.
func startPoll(engine *nbio.Engine, conn net.Conn, client bool, maxMessage int, leftover []byte, bind func(Conn) Handler) error {
	limitUnsent(conn)
	nbc, err := nbio.NBConn(conn)
	if err != nil {
		return err
	}
	c := &pollConn{conn: nbc}
	c.write, c.drop = c.writeSocket, c.dropSocket
	c.init(bind(c), client, maxMessage)
	nbc.SetSession(c)
	// The poller may call back before AddConn returns: it waits for the leftover.
	c.reading.Lock()
	defer c.reading.Unlock()
	if _, err := engine.AddConn(nbc); err != nil {
		c.ended = true
		return err
	}
	if len(leftover) > 0 {
		c.handle(leftover)
	}
	return nil
}

// onData runs on a poller. data is the poller's buffer.
func (c *pollConn) onData(data []byte) {
	c.received(data)
	for range yields {
		runtime.Gosched()
	}
}

// writeSocket never waits: nbio queues what the socket does not take.
func (c *pollConn) writeSocket(frame []byte) error {
	_, err := c.conn.Write(frame)
	return err
}

func (c *pollConn) dropSocket(err error) { c.conn.CloseWithError(err) }

// onClose runs on the engine's goroutine for closing, and must not wait.
func (c *pollConn) onClose(err error) {
	if err == nil {
		err = io.EOF
	}
	c.closed(err)
}
