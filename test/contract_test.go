package test

import (
	"context"
	"crypto/tls"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/gridnode"
)

// The contract, name by name and type by type: this file compiles as long as nothing
// that users write against has changed.

var (
	_ func(gridnode.Config) (*gridnode.Manager, error)                                     = gridnode.NewManager
	_ func(*gridnode.Manager) error                                                        = (*gridnode.Manager).Start
	_ func(*gridnode.Manager) http.Handler                                                 = (*gridnode.Manager).Handler
	_ func(*gridnode.Manager, net.Listener) error                                          = (*gridnode.Manager).Serve
	_ func(*gridnode.Manager, context.Context) error                                       = (*gridnode.Manager).Shutdown
	_ func(*gridnode.Manager) error                                                        = (*gridnode.Manager).Close
	_ func(*gridnode.Manager, string) *gridnode.Connection                                 = (*gridnode.Manager).Connection
	_ func(*gridnode.Manager, gridnode.HandlerID, gridnode.SingleHandler, ...string) error = (*gridnode.Manager).RegisterSingle
	_ func(*gridnode.Manager, gridnode.HandlerID, gridnode.StreamHandler) error            = (*gridnode.Manager).RegisterStream
	_ func(*gridnode.Manager, gridnode.HandlerID, gridnode.MuxHandler) error               = (*gridnode.Manager).RegisterMux
)

// calls is what a connection and a subroute have in common.
type calls interface {
	Request(ctx context.Context, h gridnode.HandlerID, req []byte) ([]byte, error)
	NewStream(ctx context.Context, h gridnode.HandlerID, payload []byte) (st *gridnode.Stream, err error)
	OpenMux(ctx context.Context, h gridnode.HandlerID, payload []byte) (*gridnode.MuxClient, error)
	Subroute(route string) *gridnode.Subroute
}

var (
	_ calls = (*gridnode.Connection)(nil)
	_ calls = (*gridnode.Subroute)(nil)

	_ func(*gridnode.Connection, context.Context) error     = (*gridnode.Connection).WaitForConnect
	_ func(*gridnode.Connection) gridnode.State             = (*gridnode.Connection).State
	_ func(*gridnode.Connection) gridnode.ConnectionStats   = (*gridnode.Connection).Stats
	_ func(ctx context.Context) (peer string, ok bool)      = gridnode.Caller
	_ func(context.Context) context.Context                 = gridnode.WithoutTimeout
	_ func(code gridnode.Code, err error) error             = gridnode.RegisterError
	_ func(*gridnode.Stream, func(msg []byte) error) error  = (*gridnode.Stream).Results
	_ func(*gridnode.Stream, context.Context, []byte) error = (*gridnode.Stream).Send
)

// ends is what both sides of a mux have in common.
type ends interface {
	Send(ctx context.Context, msg []byte) error
	Recv(ctx context.Context) ([]byte, error)
	All(ctx context.Context) iter.Seq2[[]byte, error]
}

var (
	_ ends = (*gridnode.MuxClient)(nil)
	_ ends = (*gridnode.MuxServer)(nil)

	_ interface {
		CloseSend() error
		Cancel(cause error)
	} = (*gridnode.MuxClient)(nil)
	_ interface{ Payload() []byte } = (*gridnode.MuxServer)(nil)
)

var _ = []error{
	gridnode.ErrDisconnected, gridnode.ErrUnknownHandler, gridnode.ErrHandlerExists, gridnode.ErrOverloaded,
	gridnode.ErrClosed, gridnode.ErrMessageTooLarge, &gridnode.Error{Code: 1000, Message: "", Remote: false},
}

var _ = gridnode.Config{
	Local:  "http://host:1",
	Peers:  []string{"https://host:2"},
	Path:   "/grid/v1",
	Dial:   func(ctx context.Context, network, addr string) (net.Conn, error) { return nil, nil },
	TLS:    (*tls.Config)(nil),
	Token:  func(ctx context.Context, peer string) (string, error) { return "", nil },
	Verify: func(ctx context.Context, peer, token string, tls *tls.ConnectionState) error { return nil },
	Logger: (*slog.Logger)(nil),
}

var _ gridnode.SingleHandler = func(ctx context.Context, req []byte) ([]byte, error) { return nil, nil }

var _ = gridnode.StreamHandler{
	Handle:      func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error { return nil },
	InCapacity:  int(0),
	OutCapacity: int(1),
	Subroute:    "a/b",
}

var _ = gridnode.MuxHandler{
	Handle:     func(ctx context.Context, st *gridnode.MuxServer) error { return nil },
	InCapacity: int(0), OutCapacity: int(1),
}

var (
	_ <-chan gridnode.Response = gridnode.Stream{}.Responses
	_ chan<- []byte            = gridnode.Stream{}.Requests
	_                          = gridnode.Response{Msg: []byte(nil), Err: error(nil)}
	_ uint16                   = uint16(gridnode.HandlerID(0))
)

// The names of the contract's typed example; raw stands in for what msgp generates.
type (
	ReserveReq  struct{ raw }
	ReserveResp struct{ raw }
	WatchReq    struct{ raw }
	WatchIn     struct{ raw }
	WatchOut    struct{ raw }
)

var _ interface {
	msgp.Marshaler
	msgp.Unmarshaler
} = &ReserveReq{}

const (
	HandlerReserve gridnode.HandlerID = 100 + iota
	HandlerWatch
)

var (
	reserve = gridnode.NewSingle[ReserveReq, ReserveResp](HandlerReserve)
	watch   = gridnode.NewStream[WatchReq, WatchIn, WatchOut](HandlerWatch)
)

// The typed calls are written as the contract writes them: no type but those of the
// messages is named, and no constructor is passed.
func TestTheContractsTypedCallsWork(t *testing.T) {
	m, err := gridnode.NewManager(gridnode.Config{Local: "http://127.0.0.1:9000"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = reserve.Register(m, func(ctx context.Context, req *ReserveReq) (*ReserveResp, error) {
		return &ReserveResp{append(req.raw, '!')}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	conn := m.Connection(m.Local())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := conn.WaitForConnect(ctx); err != nil {
		t.Fatal(err)
	}
	resp, err := reserve.Call(ctx, conn, &ReserveReq{raw("chair")})
	if err != nil || string(resp.raw) != "chair!" {
		t.Errorf("%v, %v", resp, err)
	}
	_, err = watch.Call(ctx, conn.Subroute("x"), &WatchReq{})
	wantIs(t, err, gridnode.ErrUnknownHandler)
}
