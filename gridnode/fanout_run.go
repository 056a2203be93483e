package gridnode

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/actorgrid/actorgrid/frames"
)

// indexed is a Result and the position of its peer.
type indexed struct {
	Result
	index int
}

// fan calls all peers with the limit and the retries of f. The channel has room for
// all results and is closed after the last. Whoever empties unasked, which holds the
// peers whose turn has not come, sees to it that these are not called, and have no result.
func (m *Manager) fan(ctx context.Context, h HandlerID, req []byte, f Fanout, peers []string) (answers <-chan indexed, unasked <-chan int) {
	results := make(chan indexed, len(peers))
	workers := len(peers)
	if f.Limit > 0 {
		workers = min(workers, f.Limit)
	}
	next := make(chan int, len(peers))
	for i := workers; i < len(peers); i++ {
		next <- i
	}
	close(next)
	call := func(i int) {
		r := indexed{Result{Peer: peers[i], Err: errGoexit}, i}
		defer func() { results <- r }()
		r.Resp, r.Err = m.tryPeer(ctx, peers[i], h, req, f)
	}
	var group sync.WaitGroup
	for first := range workers { // whose turn has come, however late the goroutine is
		group.Go(func() { // ends with its calls; the goroutine below waits for it
			defer func() {
				for i := range next { // none are left, unless Retryable has ended this goroutine
					results <- indexed{Result{Peer: peers[i], Err: errGoexit}, i}
				}
			}()
			call(first)
			for i := range next {
				call(i)
			}
		})
	}
	go func() { // ends with the calls; the reader of results waits for it
		group.Wait()
		close(results)
	}()
	return results, next
}

// errGoexit is the end of calls whose goroutine was ended by Retryable.
var errGoexit = errorf(CodeInternal, "Retry.Retryable: %s", goexit)

// longestPause can be doubled, and jittered, without an overflow.
const longestPause = time.Duration(1 << 60)

// tryPeer calls one peer as often as the policy allows.
func (m *Manager) tryPeer(ctx context.Context, peer string, h HandlerID, req []byte, f Fanout) ([]byte, error) {
	c := m.Connection(peer)
	if c == nil {
		return nil, errorf(CodeNotSent, "not sent: unknown peer %q", peer)
	}
	pause := min(f.Retry.Pause, longestPause)
	if pause <= 0 {
		pause = 100 * time.Millisecond
	}
	for attempt := 1; ; attempt++ {
		resp, err := c.request(ctx, h, f.Subroute, req)
		if err == nil || attempt >= f.Retry.Attempts {
			return resp, err
		}
		if again, failed := m.retries(f.Retry, err); failed != nil {
			return nil, errors.Join(err, failed)
		} else if !again {
			return nil, err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ended(ctx)
		case <-m.ctx.Done(): // Close waits for the calls of a Quorum
			timer.Stop()
			return nil, err
		}
		pause = min(2*pause, longestPause)
	}
}

// retries is allows with a panic of Retryable as an error.
func (m *Manager) retries(r Retry, err error) (again bool, failed error) {
	defer m.survive("Retry.Retryable", &failed)
	return r.allows(err), nil
}

// allows reports whether a call that failed with err may be sent again.
func (r Retry) allows(err error) bool {
	return refused(err) || r.Retryable != nil && r.Retryable(err)
}

// refused reports whether the peer has certainly not acted on the call. If it is not the
// peer that says ErrOverloaded, it is this node, and about the response.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == CodeNotSent || e.Code == CodeOverloaded && e.Remote)
}

// broadcastDirect sends all requests from this goroutine and then waits for all, so
// that a broadcast costs no goroutine and few wake-ups. Peers whose queue is full
// get their own goroutine: they must not hold up the others.
func (m *Manager) broadcastDirect(ctx context.Context, h HandlerID, req []byte, route string, peers []string) []Result {
	b := &broadcast{
		ctx:     ctx,
		key:     handlerKey{id: h, kind: frames.KindSingle, route: route},
		results: make([]Result, len(peers)),
		pending: make([]pendingCall, len(peers)),
		group:   make(chan *call, len(peers)),
	}
	for i, peer := range peers {
		b.results[i].Peer = peer
		b.send(i, m.Connection(peer), req)
	}
	b.wait()
	b.crowded.Wait()
	return b.results
}

// broadcast is the state of one broadcastDirect; its goroutine owns it, but for
// results[i] of a crowded peer.
type broadcast struct {
	ctx     context.Context
	key     handlerKey
	results []Result
	pending []pendingCall
	group   chan *call
	left    int
	crowded sync.WaitGroup
}

func (b *broadcast) send(i int, c *Connection, req []byte) {
	r := &b.results[i]
	if c == nil {
		r.Err = errorf(CodeNotSent, "not sent: unknown peer %q", r.Peer)
		return
	}
	s, t, err := c.resolve(b.key)
	if err != nil {
		r.Err = err
		return
	}
	p, err := s.begin(b.ctx, t.index, req, destination{group: b.group, index: i})
	if err == errMustWait {
		// Ends with the call; broadcastDirect waits for it.
		b.crowded.Go(func() { r.Resp, r.Err = s.requestSlowly(b.ctx, t.index, req) })
		return
	}
	if err != nil {
		r.Err = err
		return
	}
	b.pending[i] = p
	b.left++
}

// wait collects the ends of all calls; at the end of the context it abandons those
// under way.
func (b *broadcast) wait() {
	cancelled := b.ctx.Done()
	for b.left > 0 {
		select {
		case c := <-b.group:
			b.take(c)
		case <-cancelled:
			cancelled = nil
			b.abandon()
		}
	}
}

func (b *broadcast) take(c *call) {
	r := &b.results[c.to.index]
	r.Resp, r.Err = c.resp, c.err
	b.pending[c.to.index] = pendingCall{}
	b.left--
	c.free()
}

// abandon ends the calls that nobody has ended yet; the others are in the group, or
// about to be.
func (b *broadcast) abandon() {
	err := ended(b.ctx)
	for i, p := range b.pending {
		if p.s == nil || p.s.takeCall(p.id) == nil {
			continue
		}
		p.call.free()
		p.tell(err)
		b.pending[i] = pendingCall{}
		b.results[i].Err = err
		b.left--
	}
}
