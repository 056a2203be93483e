package peer

import (
	"context"
	"errors"

	"github.com/actorgrid/actorgrid/gridnode"
)

// Grid is actorgrid through its methods.
func Grid() *Peer {
	return &Peer{
		Name: "actorgrid", Role: Subject, OneConnection: true, Module: "github.com/actorgrid/actorgrid",
		About: "RegisterSingle, RegisterMux, OpenMux; all defaults", Streams: allKinds,
		NewDialer: func() (Dialer, error) { return newGridDialer(methodForm) },
		Serve:     serveGrid,
		NewMesh:   func(n int) (Mesh, error) { return NewGrid(n, Plain) },
	}
}

// GridChannels is actorgrid with streams in the channel form on both sides.
func GridChannels() *Peer {
	return &Peer{
		Name: "actorgrid-chan", Role: Subject, OneConnection: true, Module: "github.com/actorgrid/actorgrid",
		About: "the same with the channel form of streams: RegisterStream, NewStream", Streams: allKinds,
		NewDialer: func() (Dialer, error) { return newGridDialer(channelForm) },
		Serve:     serveGrid,
	}
}

// GridRecycled is actorgrid whose users give back what they have received.
func GridRecycled() *Peer {
	return &Peer{
		Name: "actorgrid-recycled", Role: Subject, OneConnection: true, Module: "github.com/actorgrid/actorgrid",
		About: "the same as actorgrid, with RegisterSingleLending, and Recycle for each message received", Streams: allKinds,
		NewDialer: func() (Dialer, error) { return newGridDialer(recycledForm) },
		Serve:     serveGrid,
	}
}

// GridInline is actorgrid with handlers that are called by the reader, and callers that
// give back what they have received.
func GridInline() *Peer {
	return &Peer{
		Name: "actorgrid-inline", Role: Subject, OneConnection: true, Module: "github.com/actorgrid/actorgrid",
		About:     "singles as of actorgrid-recycled, with RegisterSingleInline",
		NewDialer: func() (Dialer, error) { return newGridDialer(inlineForm) },
		Serve:     serveGrid,
		NewMesh: func(n int) (Mesh, error) {
			g, err := NewGrid(n, Plain)
			return inlineMesh{g}, err
		},
	}
}

// gridForm is how the API is used.
type gridForm uint8

const (
	methodForm gridForm = iota
	channelForm
	recycledForm
	inlineForm
)

const (
	handlerSingle gridnode.HandlerID = 1
	handlerLent   gridnode.HandlerID = 3
	handlerInline gridnode.HandlerID = 4
)

// handlerOf is the handler of a stream.
func handlerOf(form gridForm, kind Kind) gridnode.HandlerID {
	return gridnode.HandlerID(10 + 10*gridnode.HandlerID(form) + gridnode.HandlerID(kind))
}

// registerGrid registers all that is measured.
func registerGrid(m *gridnode.Manager) error {
	errs := []error{
		m.RegisterSingle(handlerSingle, echoSingle),
		m.RegisterSingleLending(handlerLent, echoSingle),
		m.RegisterSingleInline(handlerInline, echoSingle),
		registerTyped(m),
	}
	for _, kind := range []Kind{Down, Up, Echo} {
		in := Window
		if kind == Down {
			in = 0
		}
		errs = append(errs,
			m.RegisterMux(handlerOf(methodForm, kind), gridnode.MuxHandler{
				InCapacity: in, OutCapacity: Window,
				Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
					return serveGridStream(ctx, kind, st.Payload(), st)
				},
			}),
			m.RegisterMux(handlerOf(recycledForm, kind), gridnode.MuxHandler{
				InCapacity: in, OutCapacity: Window,
				Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
					return serveGridStream(ctx, kind, st.Payload(), &recyclingServer{MuxServer: st})
				},
			}),
			m.RegisterStream(handlerOf(channelForm, kind), gridnode.StreamHandler{
				InCapacity: in, OutCapacity: Window,
				Handle: func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error {
					return serveGridStream(ctx, kind, payload, gridChannels{in, out})
				},
			}))
	}
	return errors.Join(errs...)
}

func echoSingle(_ context.Context, req []byte) ([]byte, error) { return req, nil }

func serveGridStream(ctx context.Context, kind Kind, payload []byte, d Duplex) error {
	var plan Plan
	if kind == Down {
		var err error
		if plan, err = decodePlan(payload); err != nil {
			return err
		}
	}
	return serve(ctx, kind, plan, d)
}

// serveGrid starts the serving node of a pair.
func serveGrid(caller string) (Server, error) {
	n, err := listenNode(Plain)
	if err != nil {
		return nil, err
	}
	return n, n.start([]string{n.name, caller}, nil)
}

// gridDialer is the calling node of a pair. It listens too: who dials is decided by
// the names.
type gridDialer struct {
	node *node
	form gridForm
}

func newGridDialer(form gridForm) (Dialer, error) {
	n, err := listenNode(Plain)
	if err != nil {
		return nil, err
	}
	return &gridDialer{node: n, form: form}, nil
}

func (d *gridDialer) Name() string { return d.node.name }

func (d *gridDialer) Dial(addr string) (Client, error) {
	if err := d.node.start([]string{d.node.name, addr}, nil); err != nil {
		return nil, errors.Join(err, d.node.Close())
	}
	conn := d.node.manager.Connection(addr)
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := conn.WaitForConnect(ctx); err != nil {
		return nil, errors.Join(err, d.node.Close())
	}
	return &gridClient{node: d.node, conn: conn, form: d.form}, nil
}

type gridClient struct {
	node *node
	conn *gridnode.Connection
	form gridForm
}

func (c *gridClient) Caller(int) (Call, error) {
	switch c.form {
	case recycledForm:
		return recyclingCaller(c.conn, handlerLent), nil
	case inlineForm:
		return recyclingCaller(c.conn, handlerInline), nil
	}
	return callerOf(c.conn), nil
}

func callerOf(conn *gridnode.Connection) Call {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		return conn.Request(ctx, handlerSingle, req)
	}
}

func (c *gridClient) Open(ctx context.Context, kind Kind, plan Plan) (Stream, error) {
	var payload []byte
	if kind == Down {
		payload = plan.encode()
	}
	if c.form == channelForm {
		st, err := c.conn.NewStream(ctx, handlerOf(channelForm, kind), payload)
		if err != nil {
			return nil, err
		}
		return gridChannelStream{st}, nil
	}
	st, err := c.conn.OpenMux(ctx, handlerOf(c.form, kind), payload)
	if err != nil {
		return nil, err
	}
	if c.form == recycledForm {
		return &recyclingClient{MuxClient: st}, nil
	}
	return st, nil
}

func (c *gridClient) Close() error { return c.node.Close() }
