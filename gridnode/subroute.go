package gridnode

import "context"

// Target is where calls go: a *Connection or a *Subroute.
type Target interface {
	Request(ctx context.Context, h HandlerID, req []byte) ([]byte, error)
	OpenMux(ctx context.Context, h HandlerID, payload []byte) (*MuxClient, error)
	NewStream(ctx context.Context, h HandlerID, payload []byte) (*Stream, error)
}

var (
	_ Target = (*Connection)(nil)
	_ Target = (*Subroute)(nil)
)

// Subroute is a Connection whose calls go to the handlers registered under a route.
// It costs nothing on the wire.
type Subroute struct {
	conn  *Connection
	route string
}

// Subroute returns the handlers of the peer that were registered with this subroute.
func (c *Connection) Subroute(route string) *Subroute { return &Subroute{conn: c, route: route} }

// Subroute returns the handlers one part further down; parts are joined with "/".
func (r *Subroute) Subroute(route string) *Subroute {
	return &Subroute{conn: r.conn, route: joinRoute(r.route, route)}
}

// Request is Connection.Request for a handler of this route.
func (r *Subroute) Request(ctx context.Context, h HandlerID, req []byte) ([]byte, error) {
	return r.conn.request(ctx, h, r.route, req)
}

// OpenMux is Connection.OpenMux for a handler of this route.
func (r *Subroute) OpenMux(ctx context.Context, h HandlerID, payload []byte) (*MuxClient, error) {
	return r.conn.openMux(ctx, h, r.route, payload)
}

// NewStream is Connection.NewStream for a handler of this route.
func (r *Subroute) NewStream(ctx context.Context, h HandlerID, payload []byte) (*Stream, error) {
	return r.conn.newStream(ctx, h, r.route, payload)
}
