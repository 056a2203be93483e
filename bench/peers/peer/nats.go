package peer

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// NATS is an embedded nats-server between two clients: each message passes two
// connections. It has no streams with flow control; Down is a subscription.
func NATS() *Peer {
	return &Peer{
		Name: "nats", Role: Library, Module: "github.com/nats-io/nats-server/v2", OneConnection: true,
		About: "nats-server embedded, nats.go request-reply; down: a subscription, without flow control", Streams: kinds(Down),
		Serve: serveNATS, NewDialer: anonymous(dialNATS),
	}
}

// natsPending bounds a Down stream: what nobody holds back has to fit.
const natsPending = 16 << 20

type natsServer struct {
	s    *server.Server
	conn *nats.Conn // of the serving side
}

func serveNATS(string) (Server, error) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, MaxPayload: 2 * MaxMessage})
	if err != nil {
		return nil, err
	}
	s.Start()
	n := &natsServer{s: s}
	if !s.ReadyForConnections(10 * time.Second) {
		n.Close()
		return nil, errors.New("nats-server does not start")
	}
	if n.conn, err = nats.Connect(s.ClientURL()); err != nil {
		n.Close()
		return nil, err
	}
	_, single := n.conn.Subscribe("single", func(m *nats.Msg) { m.Respond(m.Data) })
	_, down := n.conn.Subscribe("down", n.down)
	if err := errors.Join(single, down, n.conn.Flush()); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// down starts a goroutine per stream; it ends when all is published or the
// connection is closed.
func (n *natsServer) down(m *nats.Msg) {
	plan, err := decodePlan(m.Data)
	if err != nil {
		return
	}
	go func() {
		d := natsSender{conn: n.conn, to: m.Reply}
		if serveDown(context.Background(), plan, d) == nil {
			d.Send(context.Background(), nil) // the end
		}
	}()
}

func (n *natsServer) Addr() string { return n.s.ClientURL() }

func (n *natsServer) Close() error {
	if n.conn != nil {
		n.conn.Close()
	}
	n.s.Shutdown()
	n.s.WaitForShutdown()
	return nil
}

type natsSender struct {
	conn *nats.Conn
	to   string
}

func (s natsSender) Send(_ context.Context, msg []byte) error { return s.conn.Publish(s.to, msg) }
func (s natsSender) Recv(context.Context) ([]byte, error)     { return nil, ErrUnsupported }

func dialNATS(url string) (Client, error) {
	c, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	return &natsClient{c}, nil
}

type natsClient struct{ conn *nats.Conn }

func (c *natsClient) Caller(int) (Call, error) {
	return func(ctx context.Context, req []byte) ([]byte, error) {
		m, err := c.conn.RequestWithContext(ctx, "single", req)
		if err != nil {
			return nil, err
		}
		return m.Data, nil
	}, nil
}

func (c *natsClient) Open(_ context.Context, kind Kind, plan Plan) (Stream, error) {
	if kind != Down || uint64(plan.Count)*uint64(plan.Size) > natsPending {
		return nil, ErrUnsupported
	}
	inbox := c.conn.NewInbox()
	sub, err := c.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sub.SetPendingLimits(-1, -1), c.conn.PublishRequest("down", inbox, plan.encode())); err != nil {
		return nil, errors.Join(err, sub.Unsubscribe())
	}
	return natsStream{sub}, nil
}

func (c *natsClient) Close() error {
	c.conn.Close()
	return nil
}

type natsStream struct{ sub *nats.Subscription }

func (natsStream) Send(context.Context, []byte) error { return ErrUnsupported }
func (natsStream) CloseSend() error                   { return nil }

func (s natsStream) Recv(ctx context.Context) ([]byte, error) {
	m, err := s.sub.NextMsgWithContext(ctx)
	if err == nil && len(m.Data) > 0 {
		return m.Data, nil
	}
	if err == nil {
		err = io.EOF
	}
	s.sub.Unsubscribe()
	return nil, err
}
