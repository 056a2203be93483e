package gridnode

import (
	"context"
	"fmt"
	"io"

	"github.com/tinylib/msgp/msgp"
)

// Message is a pointer to a T that has msgp's generated methods. MarshalMsg must append
// to its argument, whose bytes are used again afterwards, and UnmarshalMsg must not
// keep its argument, but for fields with msgp's tag zerocopy: the bytes of a value that
// has none, anywhere in it, are used again once it is decoded. Nor must what msgp's
// generated methods call: UnmarshalBinary of a msgp.Extension, say.
type Message[T any] interface {
	*T
	msgp.Marshaler
	msgp.Unmarshaler
}

// Single is a single with msgpack values instead of bytes. A nil pointer travels
// as a nil payload, and arrives as nil.
type Single[Req, Resp any, PReq Message[Req], PResp Message[Resp]] struct {
	id                  HandlerID
	lendsReq, lendsResp bool // the bytes of a value are not used once it is decoded
}

// NewSingle names a typed single. Only Req and Resp are given:
// NewSingle[ReserveReq, ReserveResp](id).
func NewSingle[Req, Resp any, PReq Message[Req], PResp Message[Resp]](id HandlerID) *Single[Req, Resp, PReq, PResp] {
	return &Single[Req, Resp, PReq, PResp]{id: id, lendsReq: !aliases[Req](), lendsResp: !aliases[Resp]()}
}

// Register registers the handler on a node, under the subroute parts if given. req
// belongs to the handler; the response must not be changed after the return.
func (t *Single[Req, Resp, PReq, PResp]) Register(m *Manager, h func(ctx context.Context, req PReq) (PResp, error), subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", t.id)
	}
	return m.registerSingle(t.id, &handler{lends: t.lendsReq, single: t.bytes(h)}, subroute)
}

// RegisterInline is Register for a handler that never waits, as RegisterSingleInline has
// it. What fields of req with msgp's tag zerocopy refer to is lent to it.
func (t *Single[Req, Resp, PReq, PResp]) RegisterInline(m *Manager, h func(ctx context.Context, req PReq) (PResp, error), subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", t.id)
	}
	return m.RegisterSingleInline(t.id, t.bytes(h), subroute...)
}

// bytes makes a handler of bytes of one of values.
func (t *Single[Req, Resp, PReq, PResp]) bytes(h func(ctx context.Context, req PReq) (PResp, error)) SingleHandler {
	return func(ctx context.Context, b []byte) ([]byte, error) {
		req, err := decode[Req, PReq](b)
		if err != nil {
			return nil, err
		}
		resp, err := h(ctx, req)
		if err != nil {
			return nil, err
		}
		if !t.lendsReq {
			b = nil // req may still refer to it
		}
		return encode[Resp](resp, b[:0])
	}
}

// Call calls the handler of a peer. req may be reused after the return.
func (t *Single[Req, Resp, PReq, PResp]) Call(ctx context.Context, to Target, req PReq) (PResp, error) {
	buf := newBatch()
	defer buf.free()
	b, err := encode[Req](req, buf.b[:0])
	if err != nil {
		return nil, err
	}
	buf.keep(b)
	resp, err := to.Request(ctx, t.id, b)
	if err != nil {
		return nil, err
	}
	if t.lendsResp && handsOut(to) {
		defer Recycle(resp)
	}
	return decode[Resp, PResp](resp)
}

// encode appends v to b; nil for a nil pointer.
func encode[T any, P Message[T]](v P, b []byte) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	out, err := v.MarshalMsg(b)
	if err != nil {
		return nil, errorf(CodeApplication, "encode %T: %v", v, err)
	}
	if out == nil {
		out = []byte{} // a value of no bytes is not nil
	}
	return out, nil
}

// decode is the inverse of encode. Bytes behind the value are an error.
func decode[T any, P Message[T]](b []byte) (P, error) {
	if b == nil {
		return nil, nil
	}
	v := P(new(T))
	rest, err := v.UnmarshalMsg(b)
	if err != nil {
		return nil, errorf(CodeProtocol, "decode %T: %v", v, err)
	}
	if len(rest) > 0 {
		return nil, errorf(CodeProtocol, "decode %T: %d bytes behind it", v, len(rest))
	}
	return v, nil
}

// StreamType is a stream with msgpack values instead of bytes: Payload opens it, In
// goes to the handler and Out comes from it.
type StreamType[Payload, In, Out any, PP Message[Payload], PI Message[In], PO Message[Out]] struct {
	id                HandlerID
	lendsIn, lendsOut bool // as in Single
}

// NewStream names a typed stream. Only Payload, In and Out are given:
// NewStream[WatchReq, WatchIn, WatchOut](id).
func NewStream[Payload, In, Out any, PP Message[Payload], PI Message[In], PO Message[Out]](id HandlerID) *StreamType[Payload, In, Out, PP, PI, PO] {
	return &StreamType[Payload, In, Out, PP, PI, PO]{id: id, lendsIn: !aliases[In](), lendsOut: !aliases[Out]()}
}

// TypedHandler serves typed streams.
type TypedHandler[Payload, In, Out any, PP Message[Payload], PI Message[In], PO Message[Out]] struct {
	Handle      func(ctx context.Context, payload PP, st *TypedServer[In, Out, PI, PO]) error
	InCapacity  int // as in MuxHandler
	OutCapacity int
	Subroute    string
}

// Register registers the handler on a node. Capacities and subroute are as in
// MuxHandler.
func (t *StreamType[Payload, In, Out, PP, PI, PO]) Register(m *Manager, h TypedHandler[Payload, In, Out, PP, PI, PO]) error {
	if h.Handle == nil {
		return fmt.Errorf("gridnode: handler %d: no function", t.id)
	}
	return m.RegisterMux(t.id, MuxHandler{
		Handle: func(ctx context.Context, st *MuxServer) error {
			payload, err := decode[Payload, PP](st.Payload())
			if err != nil {
				return err
			}
			return h.Handle(ctx, payload, &TypedServer[In, Out, PI, PO]{mux: st, lends: t.lendsIn})
		},
		InCapacity:  h.InCapacity,
		OutCapacity: h.OutCapacity,
		Subroute:    h.Subroute,
	})
}

// Call opens the stream. It fails like Connection.OpenMux.
func (t *StreamType[Payload, In, Out, PP, PI, PO]) Call(ctx context.Context, to Target, payload PP) (*TypedClient[In, Out, PI, PO], error) {
	b, err := encode[Payload](payload, nil)
	if err != nil {
		return nil, err
	}
	st, err := to.OpenMux(ctx, t.id, b)
	if err != nil {
		return nil, err
	}
	return &TypedClient[In, Out, PI, PO]{mux: st, lends: t.lendsOut}, nil
}

// TypedClient is a MuxClient with values; see there.
type TypedClient[In, Out any, PI Message[In], PO Message[Out]] struct {
	mux   *MuxClient
	lends bool // the bytes of a value are not used once it is decoded
}

// Send sends one value to the handler.
func (c *TypedClient[In, Out, PI, PO]) Send(ctx context.Context, v PI) error {
	return sendTyped[In](ctx, v, c.mux.Send)
}

// Recv returns the handler's next value; io.EOF at a clean end.
func (c *TypedClient[In, Out, PI, PO]) Recv(ctx context.Context) (PO, error) {
	b, err := c.mux.Recv(ctx)
	if err != nil {
		return nil, err
	}
	if c.lends {
		defer Recycle(b)
	}
	v, err := decode[Out, PO](b)
	if err != nil {
		c.mux.Cancel(err)
	}
	return v, err
}

// Results reads the stream to its end; an error of next cancels it.
func (c *TypedClient[In, Out, PI, PO]) Results(ctx context.Context, next func(PO) error) error {
	for {
		v, err := c.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = next(v)
		}
		if err != nil {
			c.mux.Cancel(err)
			return err
		}
	}
}

// CloseSend tells the handler that no more values come.
func (c *TypedClient[In, Out, PI, PO]) CloseSend() error { return c.mux.CloseSend() }

// Cancel ends the stream at once.
func (c *TypedClient[In, Out, PI, PO]) Cancel(cause error) { c.mux.Cancel(cause) }

// TypedServer is a MuxServer with values; see there.
type TypedServer[In, Out any, PI Message[In], PO Message[Out]] struct {
	mux   *MuxServer
	lends bool // the bytes of a value are not used once it is decoded
}

// Send sends one value to the caller.
func (s *TypedServer[In, Out, PI, PO]) Send(ctx context.Context, v PO) error {
	return sendTyped[Out](ctx, v, s.mux.Send)
}

// Recv returns the caller's next value; io.EOF after its CloseSend, as in MuxServer.
func (s *TypedServer[In, Out, PI, PO]) Recv(ctx context.Context) (PI, error) {
	b, err := s.mux.Recv(ctx)
	if err != nil {
		return nil, err
	}
	if s.lends {
		defer Recycle(b)
	}
	return decode[In, PI](b)
}

// sendTyped encodes v into a pooled buffer: sends copy.
func sendTyped[T any, P Message[T]](ctx context.Context, v P, send func(context.Context, []byte) error) error {
	buf := newBatch()
	defer buf.free()
	b, err := encode[T](v, buf.b[:0])
	if err != nil {
		return err
	}
	buf.keep(b)
	return send(ctx, b)
}
