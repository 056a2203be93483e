package gridnode

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/actorgrid/actorgrid/frames"
)

// Stream is the channel form of a stream's calling side, on top of a MuxClient: one
// goroutine for the requests, if the handler takes any, and one for the responses from
// when more have come than were read and Responses holds, a quarter of the handler's
// OutCapacity and at most 16. OpenMux needs none and is faster.
//
// Its user must read Responses to the end, call Results, or cancel the context
// given to NewStream.
type Stream struct {
	Responses <-chan Response // closed after the last response, or after one that carries the error

	// Requests is nil if the handler takes none; close it to signal the end. After the
	// stream's end nobody receives: select on Done too, or use Send.
	Requests chan<- []byte

	mux      *MuxClient
	end      error       // set before Responses is closed, nil being the clean end; then see over
	requests chan []byte // Requests
}

// Response is one message of the handler, or the error that ended the stream.
type Response struct {
	Msg []byte
	Err error
}

// NewStream opens a stream to the peer. payload may be reused after the return.
// Messages sent to Requests belong to the stream. It fails like OpenMux; the end of
// ctx cancels the stream.
func (c *Connection) NewStream(ctx context.Context, h HandlerID, payload []byte) (st *Stream, err error) {
	return c.newStream(ctx, h, "", payload)
}

func (c *Connection) newStream(ctx context.Context, h HandlerID, route string, payload []byte) (*Stream, error) {
	s, t, err := c.resolve(handlerKey{id: h, kind: frames.KindStream, route: route})
	if err != nil {
		return nil, err
	}
	room := laneRoom(t.out)
	t.out -= room
	st := new(Stream)
	lane := newResponses(st, room)
	st.Responses = lane.c
	_, err = s.openMux(ctx, t, payload, func(mux *MuxClient) {
		st.mux, mux.lane = mux, lane
		lane.begin(func() { go st.pumpResponses(ctx, lane.c) }) // ends with the stream, which ctx can end
	})
	if err != nil {
		return nil, err
	}
	if t.in > 0 {
		st.requests = make(chan []byte)
		st.Requests = st.requests
		go st.pumpRequests() // ends when Requests is closed or the stream ends
	}
	return st, nil
}

// finish ends the stream for its reader; the caller has sent all else.
func (st *Stream) finish(out chan<- Response, cause error) {
	if cause != nil {
		st.end = cause
		out <- Response{Err: cause} // there is room
	}
	close(out)
}

// pumpResponses moves responses to the channel, in order, with the error as the
// last. A reader that has gone away is not waited for once the caller's context has
// ended: the error then takes the place of what it has not read.
func (st *Stream) pumpResponses(caller context.Context, out chan Response) {
	defer close(out)
	for {
		msg, err := st.mux.Recv(context.Background()) // the end of caller is the stream's
		switch {
		case err == io.EOF:
			return
		case err == nil && (offer(out, Response{Msg: msg}) || hand(caller, out, Response{Msg: msg})):
			continue
		case err != nil && caller.Err() == nil && hand(caller, out, Response{Err: err}):
			st.end = err
			return
		}
		st.end = st.givenUp(caller)
		drop(out)
		out <- Response{Err: st.end} // also in place of msg: the stream is not complete
		return
	}
}

// hand waits until out takes r, and reports false if ctx ends before.
func hand[T any](ctx context.Context, out chan<- T, r T) bool {
	select {
	case out <- r:
		return true
	case <-ctx.Done():
		return false
	}
}

// givenUp ends the stream whose caller has, and returns what it ends with.
func (st *Stream) givenUp(caller context.Context) error {
	end := ended(caller)
	st.mux.Cancel(end)
	if cause := st.mux.in.Cause(); cause != io.EOF {
		end = cause // the first end counts; a clean one has not been read
	}
	return end
}

// offer puts v into c if that is possible at once. A select with several cases costs
// more: with this before it a stream of 10 messages takes 5 to 10 % less.
func offer[T any](c chan<- T, v T) bool {
	select {
	case c <- v:
		return true
	default:
		return false
	}
}

// pumpRequests moves requests to the handler until Requests is closed or the stream
// has ended.
func (st *Stream) pumpRequests() {
	for {
		select {
		case msg, ok := <-st.requests:
			if !ok {
				st.mux.CloseSend()
				return
			}
			if err := st.mux.Send(context.Background(), msg); err != nil {
				st.mux.abort(err) // a message is missing; nothing if the stream has ended
				return
			}
		case <-st.Done():
			return
		}
	}
}

// Done is closed when the stream has ended, for whatever reason. There may still be
// Responses to read.
func (st *Stream) Done() <-chan struct{} { return st.mux.in.Done() }

// Results reads the stream to its end: next gets each message, and the return is
// nil after the handler returned nil, else the error. An error of next cancels the
// stream and is returned.
func (st *Stream) Results(next func(msg []byte) error) error {
	for r := range st.Responses {
		if r.Err != nil {
			return r.Err
		}
		if err := next(r.Msg); err != nil {
			st.mux.Cancel(err)
			missing := false
			for r := range st.Responses {
				missing = missing || r.Err == nil
			}
			if missing {
				st.over(err)
			}
			return err
		}
	}
	return st.over(nil)
}

// over returns what the stream has ended with, after Responses was closed: missing, where
// Results has dropped what came before a clean end.
func (st *Stream) over(missing error) error {
	mu := &st.mux.lane.(*responses).mu
	mu.Lock()
	defer mu.Unlock()
	if st.end == nil {
		st.end = missing
	}
	return st.end
}

// Send sends one message, as a send on Requests would, but it ends with ctx or the
// stream, and says so. It must not be called after Requests was closed.
func (st *Stream) Send(ctx context.Context, msg []byte) error { return st.mux.Send(ctx, msg) }

// channelHandler adapts a channel handler to the method form: one goroutine drains out,
// and one feeds in when its lane overflows.
func channelHandler(h StreamHandler) func(context.Context, *MuxServer) error {
	return func(ctx context.Context, st *MuxServer) error {
		var pumps sync.WaitGroup
		defer pumps.Wait()
		var in chan []byte
		if lane, ok := st.lane.(*requests); ok {
			in = lane.c
			feeding, stop := ctx, func() {} // guarded by the lane
			lane.begin(func() {
				feeding, stop = context.WithCancel(ctx)
				pumps.Go(func() { feed(feeding, st, in) })
			})
			defer func() {
				lane.leave(laneEnded) // after it no pump starts
				stop()
			}()
		}
		out := make(chan []byte)
		sent := make(chan error, 1)
		pumps.Go(func() { sent <- drainTo(ctx, st, out) })
		err := callHandler(func() error { return h.Handle(ctx, st.Payload(), in, out) }, out)
		if sendErr := <-sent; sendErr != nil && (err == nil || errors.Is(err, ctx.Err())) {
			err = sendErr // the reason, where the handler gave up politely
		}
		return err
	}
}

// callHandler closes out when the handler has returned or panicked.
func callHandler(handle func() error, out chan []byte) error {
	defer close(out)
	return handle()
}

// feed moves the caller's messages to in, and closes it at the clean end only: a
// cancelled handler sees its context, not an end that never was.
func feed(ctx context.Context, st *MuxServer, in chan<- []byte) {
	for {
		msg, err := st.Recv(ctx)
		if err == io.EOF {
			close(in)
			return
		}
		if err != nil {
			return
		}
		if !offer(in, msg) && !hand(ctx, in, msg) {
			return
		}
	}
}

// drainTo sends what the handler puts into out. After a failed send it goes on
// reading, so that a handler that does not watch its context is not stuck.
func drainTo(ctx context.Context, st *MuxServer, out <-chan []byte) error {
	var failed error
	for msg := range out {
		if failed != nil {
			continue
		}
		if failed = st.Send(ctx, msg); failed != nil {
			st.ctx.Cancel(failed)
		}
	}
	return failed
}
