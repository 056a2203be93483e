package gridnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// maxTokenSize is what a hello keeps free for the credential, in bytes.
const maxTokenSize = 16 << 10

// maxWireMessage is the largest WebSocket message that is accepted: a batch is
// closed at batchSize, and one frame may still fit behind.
const maxWireMessage = 2*batchSize + fragmentSize + maxErrorText

// peerInfo is what a peer said in its hello or accept.
type peerInfo struct {
	name       string
	instance   [16]byte
	maxMessage int
	window     int
	checksum   bool
	handlers   remoteHandlers
}

// remoteHandler is a handler of the peer: its index in the announced table, which
// is what the wire carries, and its capacities.
type remoteHandler struct {
	key     handlerKey
	index   uint32
	in, out int
}

// remoteHandlers are those of a peer, by their keys. A map takes 40 ns to find one of a
// few, and this 10.
type remoteHandlers []remoteHandler

func (all remoteHandlers) find(key handlerKey) (remoteHandler, bool) {
	low, high := 0, len(all)
	for low < high {
		middle := (low + high) / 2
		if all[middle].key.compare(key) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(all) && all[low].key == key {
		return all[low], true
	}
	return remoteHandler{}, false
}

// hello is what this node says of itself to peer.
func (m *Manager) hello(peer, token string) frames.Hello {
	return frames.Hello{
		Version:    frames.Version,
		Local:      m.cfg.Local,
		Remote:     peer,
		Instance:   m.instance,
		Token:      token,
		MaxMessage: uint64(m.cfg.MaxMessage),
		Window:     uint64(m.cfg.Window),
		MaxMuxes:   uint32(min(int64(m.cfg.MaxMuxesPerPeer), math.MaxUint32)),
		Handlers:   m.announce,
	}
}

// understand turns the peer's hello into peerInfo, or says what is wrong with it.
func understand(h *frames.Hello) (peerInfo, error) {
	if h.MaxMessage < 1 || h.Window < 2*fragmentSize || h.Window > 1<<40 {
		return peerInfo{}, fmt.Errorf("max message %d, window %d", h.MaxMessage, h.Window)
	}
	info := peerInfo{
		name:       h.Local,
		instance:   h.Instance,
		maxMessage: int(min(h.MaxMessage, maxMessageLimit)),
		window:     int(min(h.Window, maxWindow)),
		handlers:   make(remoteHandlers, len(h.Handlers)),
	}
	for i, r := range h.Handlers {
		if r.In > maxStreamCapacity || r.Out > maxStreamCapacity {
			return peerInfo{}, fmt.Errorf("handler %d: capacities %d and %d", r.ID, r.In, r.Out)
		}
		key := handlerKey{id: HandlerID(r.ID), kind: r.Kind, route: r.Route}
		info.handlers[i] = remoteHandler{key: key, index: uint32(i), in: int(r.In), out: int(r.Out)}
	}
	slices.SortFunc(info.handlers, func(a, b remoteHandler) int { return a.key.compare(b.key) })
	return info, nil
}

// connect dials the peer, shakes hands and returns a live session. Whoever is not
// the side that dials only knocks by it: the peer refuses, and dials back.
func (c *Connection) connect(ctx context.Context) (_ *session, err error) {
	m := c.node
	ctx, cancel := context.WithTimeout(ctx, m.cfg.HandshakeTimeout)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("%w; Config.HandshakeTimeout is %v", err, m.cfg.HandshakeTimeout)
		}
	}()
	token, err := m.token(ctx, c.remote)
	if err != nil {
		return nil, err
	}
	link, err := c.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial %s%s: %w", c.remote, m.cfg.Path, err)
	}
	info, err := c.greet(ctx, link, token)
	if err != nil {
		link.Close()
		return nil, err
	}
	return c.goLive(link, info, true)
}

func (c *Connection) dial(ctx context.Context) (_ *wsnet.Link, err error) {
	m := c.node
	defer m.survive("Config.Dial or TLS", &err)
	link, err := wsnet.Dial(ctx, wsnet.DialOptions{
		URL:        c.remote + m.cfg.Path,
		Dial:       m.cfg.Dial,
		TLS:        m.cfg.TLS,
		MaxMessage: maxWireMessage,
	})
	return link, asked(err)
}

// asked returns an error of a callback after it has been asked all that will be asked of
// it: if that panics, as it does for a nil pointer of a type with Unwrap, it is where a
// panic is the callback's.
func asked(err error) error {
	if err != nil {
		errors.As(err, new(*Error))
		_ = causeOf(err)
	}
	return err
}

// survive turns a panic of a callback of the application's into an error. It is
// deferred.
func (m *Manager) survive(callback string, err *error) {
	if v := recover(); v != nil {
		m.log.Error("callback panicked", "callback", callback, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		*err = errorf(CodeInternal, "%s panicked", callback) // the peer may be told this
	}
}

// token asks the application for the credential to show to peer.
func (m *Manager) token(ctx context.Context, peer string) (token string, err error) {
	if m.cfg.Token == nil {
		return "", nil
	}
	defer m.survive("Config.Token", &err)
	token, err = m.cfg.Token(ctx, peer)
	if asked(err) != nil {
		return "", fmt.Errorf("token for %s: %w", peer, err)
	}
	if len(token) > maxTokenSize {
		return "", fmt.Errorf("token for %s: %d bytes, limit %d", peer, len(token), maxTokenSize)
	}
	return token, nil
}

// greet is the dialling side of the exchange: hello, then accept or refusal.
func (c *Connection) greet(ctx context.Context, link *wsnet.Link, token string) (peerInfo, error) {
	m := c.node
	hello := m.hello(c.remote, token)
	hello.Features = features(link.TLS())
	if err := link.WriteMessage(ctx, frames.AppendHello(nil, frames.OpHello, &hello)); err != nil {
		return peerInfo{}, fmt.Errorf("hello to %s: %w", c.remote, err)
	}
	msg, err := link.ReadMessage(ctx, maxHandshakeSize)
	if err != nil {
		return peerInfo{}, fmt.Errorf("answer of %s: %w", c.remote, err)
	}
	h, err := frames.DecodeHandshake(msg)
	if err != nil {
		return peerInfo{}, errorf(CodeProtocol, "answer of %s: %v", c.remote, err)
	}
	switch h.Op {
	case frames.OpRefuse:
		return peerInfo{}, &Error{Code: h.Code, Message: "refused: " + h.Reason, Remote: true}
	case frames.OpAccept:
	default:
		return peerInfo{}, errorf(CodeProtocol, "answer of %s: op %d", c.remote, h.Op)
	}
	info, refusal := c.examine(ctx, &h.Hello, link.TLS())
	if refusal != nil {
		_ = link.WriteClose(ctx, "refused: "+refusal.Code.String()) // Verify's text is for this side's log
		return peerInfo{}, refusal
	}
	return info, nil
}

// examine checks what the peer says of itself in its accept.
func (c *Connection) examine(ctx context.Context, h *frames.Hello, state *tls.ConnectionState) (peerInfo, *Error) {
	if h.Version != frames.Version {
		return peerInfo{}, errorf(frames.RefuseVersion, "%s speaks version %d, this node %d", c.remote, h.Version, frames.Version)
	}
	if h.Local != c.remote {
		return peerInfo{}, errorf(frames.RefuseHost, "%s answers as %q", c.remote, h.Local)
	}
	if err := c.node.verify(ctx, c.remote, h.Token, state); err != nil {
		return peerInfo{}, errorf(frames.RefuseToken, "credential of %s: %v", c.remote, err)
	}
	info, err := understand(h)
	if err != nil {
		return peerInfo{}, errorf(CodeProtocol, "answer of %s: %v", c.remote, err)
	}
	info.checksum = h.Features&frames.FeatureChecksum != 0
	return info, nil
}

// features is what this side of a link wants: a checksum, unless TLS has one.
func features(state *tls.ConnectionState) uint64 {
	if state != nil {
		return 0
	}
	return frames.FeatureChecksum
}

// verify asks the application whether the credential proves the name.
func (m *Manager) verify(ctx context.Context, peer, token string, state *tls.ConnectionState) (err error) {
	if m.cfg.Verify == nil {
		return nil
	}
	defer m.survive("Config.Verify", &err)
	return m.cfg.Verify(ctx, peer, token, state)
}

// goLive hands the link's socket to its transport and starts the session. After an error
// the socket is closed.
func (c *Connection) goLive(link *wsnet.Link, info peerInfo, dialler bool) (*session, error) {
	if c.node.ctx.Err() != nil { // Close may not have waited for the callback that has just returned
		return nil, errors.Join(ErrClosed, link.Close())
	}
	s := newSession(c, info, dialler)
	err := link.Start(&c.node.net, func(conn wsnet.Conn) wsnet.Handler {
		s.wire = conn
		return s
	})
	if err != nil {
		return nil, fmt.Errorf("start of the transport to %s: %w", c.remote, err)
	}
	s.beginLife()
	return s, nil
}
