package gridnode

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// Result is one peer's answer to a fan-out.
type Result struct {
	Peer string
	Resp []byte
	Err  error
}

// Fanout says how a call goes to many peers. The zero value calls all other nodes
// once, all at a time.
type Fanout struct {
	Peers    []string // names; nil means all other nodes, in the order of Config.Peers
	Subroute string   // of the handler
	Limit    int      // calls in flight at once; 0: no limit
	Retry    Retry
}

// Retry says when a peer's call is tried again: after ErrNotSent, and an ErrOverloaded
// with which the peer refused the call, or which its handler has made and not met in a
// call of its own, always; after other errors only if Retryable says so, since the peer
// may have acted on the call.
type Retry struct {
	Attempts  int              // in all; below 1 means 1
	Pause     time.Duration    // before the second; doubled each time, with jitter; default 100 ms
	Retryable func(error) bool // further errors that are safe to retry; a panic is logged, and an error of that call
}

// ErrNoQuorum is what Quorum returns when too few peers answered.
var ErrNoQuorum = errors.New("gridnode: no quorum")

// Broadcast calls h on every peer of f and returns their results in order. The end
// of ctx ends the calls that are under way, with its error.
func (m *Manager) Broadcast(ctx context.Context, h HandlerID, req []byte, f Fanout) []Result {
	peers := f.peers(m)
	if f.direct(len(peers), len(req)) {
		return m.broadcastDirect(ctx, h, req, f.Subroute, peers)
	}
	results := make([]Result, len(peers))
	answers, _ := m.fan(ctx, h, req, f, peers)
	for got := range answers {
		results[got.index] = got.Result
	}
	return results
}

// Quorum calls h on every peer of f and returns as soon as need of them have
// answered without an error, with the answers so far. If that has become
// impossible, or ctx ends, it returns the results so far and an error that is
// ErrNoQuorum or ctx's. A peer that is listed twice has one vote, and is called once.
//
// Peers whose turn has not come by then, with a Limit, are not called. With undo nil
// the calls still under way are cancelled. Otherwise they go on, out of reach of ctx's
// end, and undo gets every answer that the caller will not use: those that come after
// the return, and all of them if there is no quorum. undo is called from one goroutine,
// which Close waits for as it does for handlers; a panic or runtime.Goexit of undo is
// logged, and ends that undo alone.
func (m *Manager) Quorum(ctx context.Context, h HandlerID, req []byte, need int, f Fanout, undo func(Result)) ([]Result, error) {
	peers := m.distinct(f.peers(m))
	if need > len(peers) {
		return nil, fmt.Errorf("%w: %d needed of %d peers", ErrNoQuorum, need, len(peers))
	}
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if err := m.enterGroup(&m.fanouts); err != nil {
		return nil, err
	}
	callCtx, cancel := context.WithCancel(ctx)
	if undo != nil {
		cancel()
		callCtx, cancel = detach(ctx)
	}
	q := quorum{need: need, left: len(peers)}
	answers, unasked := m.fan(callCtx, h, cloneBytes(req), f, peers)
	err := q.collect(ctx, answers)
	for range unasked { // an answer would be of no use any more
	}
	results := q.handOut(err != nil && undo != nil)
	if undo == nil {
		cancel()
	}
	go func() { // ends with the calls; Close ends those and waits
		defer m.fanouts.Done()
		defer cancel()
		q.cleanUp(answers, err, m.guarded(undo))
	}()
	return results, err
}

// FirstOf calls h on every peer of f, returns the first answer without an error,
// and cancels the other calls. If none comes the error joins those of the peers.
func (m *Manager) FirstOf(ctx context.Context, h HandlerID, req []byte, f Fanout) (Result, error) {
	results, err := m.Quorum(ctx, h, req, 1, f, nil)
	errs := []error{err}
	for _, r := range results {
		if r.Err == nil {
			return r, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", r.Peer, r.Err))
	}
	return Result{}, errors.Join(errs...)
}

// distinct returns a copy of peers, since calls go on after the return, without those
// that are listed already, by whatever form of their names.
func (m *Manager) distinct(peers []string) []string {
	seen := make(map[*Connection]bool, len(peers))
	return slices.DeleteFunc(slices.Clone(peers), func(name string) bool {
		c := m.Connection(name)
		again := c != nil && seen[c]
		seen[c] = true
		return again
	})
}

// guarded is undo without its panics: others wait to be undone. Nil stays nil.
func (m *Manager) guarded(undo func(Result)) func(Result) {
	if undo == nil {
		return nil
	}
	return func(r Result) {
		returned := false
		defer func() {
			if returned {
				return
			}
			v := recover()
			if v == nil {
				v = goexit
			}
			m.log.Error("undo panicked", "peer", r.Peer, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}()
		undo(r)
		returned = true
	}
}

// detach keeps ctx's values and deadline, not its cancellation.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(context.WithoutCancel(ctx), deadline)
	}
	return context.WithCancel(context.WithoutCancel(ctx))
}

// quorum counts answers.
type quorum struct {
	need, left int
	results    []Result
}

// collect reads answers until the outcome is known.
func (q *quorum) collect(ctx context.Context, answers <-chan indexed) error {
	for q.need > 0 {
		if q.left < q.need {
			return q.impossible(ctx)
		}
		select {
		case r := <-answers:
			q.left--
			q.results = append(q.results, r.Result)
			if r.Err == nil {
				q.need--
			}
		case <-ctx.Done():
			return ended(ctx)
		}
	}
	return nil
}

// handOut returns the results, which are the caller's from then on, and so are their
// bytes: what is to be undone is kept as a copy.
func (q *quorum) handOut(undo bool) []Result {
	results := q.results
	q.results = nil
	if undo {
		q.results = slices.Clone(results)
		for i := range q.results {
			q.results[i].Resp = cloneBytes(results[i].Resp)
		}
	}
	return results
}

// impossible is the error when too few peers are left: ctx's, if that has ended, as it
// has ended their calls.
func (q *quorum) impossible(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded // the calls' timer was before ctx's own
	}
	return fmt.Errorf("%w: %d more answers needed, %d peers left", ErrNoQuorum, q.need, q.left)
}

// cleanUp waits for the late answers and has those undone that nobody will use. If undo
// ends the goroutine, by runtime.Goexit, the rest is undone while it ends.
func (q *quorum) cleanUp(answers <-chan indexed, err error, undo func(Result)) {
	over := false
	defer func() {
		if !over {
			q.cleanUp(answers, err, undo)
		}
	}()
	if undo == nil {
		undo = func(Result) {}
	}
	for err != nil && len(q.results) > 0 {
		r := q.results[0]
		q.results = q.results[1:]
		if r.Err == nil {
			undo(r)
		}
	}
	for r := range answers {
		if r.Err == nil {
			undo(r.Result)
		}
	}
	over = true
}

// peers resolves the zero value.
func (f Fanout) peers(m *Manager) []string {
	if f.Peers == nil {
		return m.peers
	}
	return f.Peers
}

// direct reports whether one goroutine may send all requests: no limit, no retries,
// and requests that do not wait for a window.
func (f Fanout) direct(peers, size int) bool {
	return (f.Limit <= 0 || f.Limit >= peers) && f.Retry.Attempts <= 1 && size <= bulkSize
}
