package gridnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/wsnet"
)

// maxHandshakes bounds the handshakes in progress on the accepting side: until its
// hello, a connection is anybody's.
const maxHandshakes = 4096

// Handler returns the handler to mount on Config.Path in an http.Server of your
// own, plain or TLS. It upgrades to WebSocket, so the server's timeouts end with
// the handshake. HTTP/2 cannot carry it: keep "http/1.1" in TLSConfig.NextProtos.
// Other paths get 404, so it must see the whole one: no http.StripPrefix in front.
func (m *Manager) Handler() http.Handler { return http.HandlerFunc(m.serveHTTP) }

func (m *Manager) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != m.cfg.Path {
		http.Error(w, fmt.Sprintf("actorgrid: no grid at %.100q", r.URL.EscapedPath()), http.StatusNotFound)
		return
	}
	if !m.running() || m.enter() != nil {
		http.Error(w, "actorgrid: node is not running", http.StatusServiceUnavailable)
		return
	}
	defer m.serving.Done()
	if m.handshakes.Add(1) > maxHandshakes {
		m.handshakes.Add(-1)
		http.Error(w, "actorgrid: too many handshakes", http.StatusServiceUnavailable)
		return
	}
	defer m.handshakes.Add(-1)
	link, err := wsnet.Upgrade(w, r, maxWireMessage)
	if err != nil {
		m.log.Debug("upgrade failed", "from", r.RemoteAddr, "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, m.cfg.HandshakeTimeout)
	defer cancel()
	state := link.TLS()
	if state == nil {
		state = r.TLS
	}
	if claimed, err := m.welcome(ctx, link, state); err != nil {
		link.Close()
		m.logRefusal(r.RemoteAddr, claimed, err)
	}
}

// welcome is the accepting side of the exchange. It refuses with a code and a
// reason, and returns it, with the name that the peer has claimed.
func (m *Manager) welcome(ctx context.Context, link *wsnet.Link, state *tls.ConnectionState) (claimed string, err error) {
	msg, err := link.ReadMessage(ctx, maxHandshakeSize)
	if err != nil {
		m.refuse(ctx, link, errorf(frames.RefuseHello, "no hello: %v", err))
		return "", err
	}
	h, err := frames.DecodeHandshake(msg)
	if err == nil && h.Op != frames.OpHello {
		err = errors.New("not a hello")
	}
	if err != nil {
		return "", m.refuse(ctx, link, errorf(frames.RefuseHello, "bad hello: %v", err))
	}
	return h.Hello.Local, m.answer(ctx, link, &h.Hello, state)
}

// answer accepts or refuses a hello.
func (m *Manager) answer(ctx context.Context, link *wsnet.Link, h *frames.Hello, state *tls.ConnectionState) error {
	c, info, refusal := m.check(ctx, h, state)
	if refusal != nil {
		if c != nil {
			c.refused(refusal)
		}
		return m.refuse(ctx, link, refusal)
	}
	token, err := m.token(ctx, c.remote)
	if err != nil {
		refusal = errorf(frames.RefuseToken, "%v", err)
		c.refused(refusal)
		return m.refuse(ctx, link, refusal)
	}
	answer := m.hello(c.remote, token)
	answer.Features = features(state) | h.Features&frames.FeatureChecksum
	info.checksum = answer.Features&frames.FeatureChecksum != 0
	if err := link.WriteMessage(ctx, frames.AppendHello(nil, frames.OpAccept, &answer)); err != nil {
		return err
	}
	s, err := c.goLive(link, info, false)
	if err != nil {
		return err
	}
	c.attach(s)
	return nil
}

// check decides about a hello. The credential is checked before anything is said
// or done that depends on who the peer is. A refusal comes with the connection that it
// is a failure of, if any.
func (m *Manager) check(ctx context.Context, h *frames.Hello, state *tls.ConnectionState) (*Connection, peerInfo, *Error) {
	if h.Version != frames.Version {
		return nil, peerInfo{}, errorf(frames.RefuseVersion, "version %d, this node speaks %d", h.Version, frames.Version)
	}
	if h.Remote != m.cfg.Local {
		return nil, peerInfo{}, errorf(frames.RefuseHost, "this node is %s, not %.512s", m.cfg.Local, h.Remote)
	}
	c := m.Connection(h.Local)
	if c == nil || h.Local == m.cfg.Local {
		return nil, peerInfo{}, errorf(frames.RefuseUnknownPeer, "unknown peer %.512q: not in Config.Peers of %s", h.Local, m.cfg.Local)
	}
	if err := m.verify(ctx, c.remote, h.Token, state); err != nil {
		return c, peerInfo{}, errorf(frames.RefuseToken, "credential of %s: %v", c.remote, err)
	}
	if c.dials {
		c.knocked()
		return nil, peerInfo{}, errorf(frames.RefuseDirection, "%s dials %s", m.cfg.Local, c.remote)
	}
	info, err := understand(h)
	if err != nil {
		return c, peerInfo{}, errorf(frames.RefuseHello, "bad hello: %v", err)
	}
	return c, info, nil
}

// refuse answers with the reason; that the answer arrives is not waited for.
func (m *Manager) refuse(ctx context.Context, link *wsnet.Link, reason *Error) error {
	if err := link.WriteMessage(ctx, frames.AppendRefuse(nil, reason.Code, statusText(reason))); err != nil {
		return errors.Join(reason, err)
	}
	return reason
}
