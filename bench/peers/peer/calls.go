package peer

import (
	"net"
	"sync"
)

// calls is the table of a multiplexed connection: who waits for which response.
type calls struct {
	mu      sync.Mutex
	last    uint32
	waiting map[uint32]chan []byte
	err     error // set once; no calls from then on
}

// add registers reply, which needs room for one response. It gets the response, or
// is closed when the connection is lost.
func (c *calls) add(reply chan []byte) (id uint32, inFlight int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, 0, c.err
	}
	if c.waiting == nil {
		c.waiting = make(map[uint32]chan []byte)
	}
	c.last = (c.last + 1) & idMask
	c.waiting[c.last] = reply
	return c.last, len(c.waiting), nil
}

// idMask leaves a bit to tell a response from a request.
const (
	idMask      = 1<<31 - 1
	responseBit = 1 << 31
)

// take removes a call; nil if it has ended.
func (c *calls) take(id uint32) chan []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := c.waiting[id]
	delete(c.waiting, id)
	return reply
}

// fail ends all calls.
func (c *calls) fail(err error) {
	if err == nil {
		err = net.ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	for id, reply := range c.waiting {
		delete(c.waiting, id)
		close(reply)
	}
}

// cause is what the calls have failed with.
func (c *calls) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
