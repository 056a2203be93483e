package wsnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/gobwas/ws"
	"github.com/lesismal/nbio"
)

// engine returns the shared engine, of which n is one user from then on.
func (n *Net) engine() (*nbio.Engine, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.acquired {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		return shared.engine, nil
	}
	engine, err := acquire()
	n.acquired = err == nil
	return engine, err
}

// DialOptions says where to and how.
type DialOptions struct {
	URL        string // http://host:port/path or https://host:port/path
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS        *tls.Config // for https; may be nil
	MaxMessage int         // bytes of the largest message accepted after Start
}

// Dial connects, and upgrades to WebSocket (RFC 6455 section 4.1). It ends with
// ctx. A server that answers but does not upgrade gives a *StatusError.
func Dial(ctx context.Context, o DialOptions) (*Link, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	conn, err := o.Dial(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	l, err := upgradeClient(ctx, conn, u, o)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

func upgradeClient(ctx context.Context, conn net.Conn, u *url.URL, o DialOptions) (*Link, error) {
	if u.Scheme == "https" {
		t := tls.Client(conn, clientTLS(o.TLS, u.Hostname()))
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
		conn = t
	}
	target := *u
	target.Scheme = "ws"
	var refused *StatusError
	d := ws.Dialer{OnStatusError: func(status int, reason []byte, resp io.Reader) {
		refused = &StatusError{Code: status, Reason: string(reason)}
		if r, err := http.ReadResponse(bufio.NewReader(resp), nil); err == nil {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 512))
			refused.Reason = string(body)
		}
	}}
	undo := bound(ctx, conn)
	br, _, err := d.Upgrade(conn, &target)
	ctxErr := undo()
	switch {
	case refused != nil:
		return nil, refused
	case err != nil && ctxErr != nil:
		return nil, ctxErr
	case err != nil:
		return nil, err
	}
	if br == nil {
		br = bufio.NewReader(conn)
	}
	return &Link{conn: conn, r: br, client: true, maxMessage: o.MaxMessage}, nil
}

// clientTLS prepares a configuration: WebSocket needs HTTP/1.1.
func clientTLS(c *tls.Config, host string) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.NextProtos = []string{"http/1.1"}
	return c
}

// Upgrade upgrades a request (RFC 6455 section 4.2) and takes its connection over.
// After an error the request has been answered.
func Upgrade(w http.ResponseWriter, r *http.Request, maxMessage int) (*Link, error) {
	conn, rw, _, err := ws.HTTPUpgrader{}.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
		return nil, err
	}
	return &Link{conn: conn, r: rw.Reader, client: false, maxMessage: maxMessage}, nil
}
