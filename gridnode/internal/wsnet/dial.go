package wsnet

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gobwas/ws"
)

const (
	// maxReason is how much of a refusal's text is kept, in bytes.
	maxReason = 512

	// maxResponse bounds what is read of a server before it has upgraded, in bytes:
	// neither lines nor headers have a bound of their own.
	maxResponse = 64 << 10
)

// DialOptions says where to and how.
type DialOptions struct {
	URL        string // http://host:port/path or https://host:port/path
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS        *tls.Config // for https; may be nil
	Header     http.Header // of the request, besides those of the handshake; may be nil
	MaxMessage int         // bytes of the largest message accepted after Start
}

// Dial connects, and upgrades to WebSocket (RFC 6455 section 4.1). It ends with
// ctx. A server that answers but does not upgrade gives a *StatusError.
func Dial(ctx context.Context, o DialOptions) (l *Link, err error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("wsnet: %q is neither http nor https", o.URL)
	}
	conn, err := o.Dial(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, errors.New("wsnet: Dial has returned no connection")
	}
	defer func() {
		if l == nil { // an error, or a panic of a callback of o.TLS
			conn.Close()
		}
	}()
	return upgradeClient(ctx, conn, u, o)
}

func upgradeClient(ctx context.Context, conn net.Conn, u *url.URL, o DialOptions) (*Link, error) {
	if u.Scheme == "https" {
		conf := clientTLS(o.TLS, u.Hostname())
		if conf.Renegotiation == tls.RenegotiateNever { // a handshake within would wait
			conn = underTLS(conn)
		}
		t := tls.Client(conn, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
		conn = t
	}
	target := *u
	target.Scheme = "ws"
	var refused *StatusError
	d := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(o.Header),
		OnStatusError: func(status int, reason []byte, resp io.Reader) {
			refused = &StatusError{Code: status, Reason: readReason(reason, resp)}
		},
	}
	undo := bound(ctx, conn)
	in := &io.LimitedReader{R: conn, N: maxResponse}
	br, _, err := d.Upgrade(&readWriter{in, conn}, &target)
	if err != nil && in.N == 0 {
		err = fmt.Errorf("wsnet: the answer of the server exceeds %d bytes", maxResponse)
	}
	in.N = math.MaxInt64 // br goes on with what comes behind the upgrade
	if refused != nil {
		_ = undo(nil)
		return nil, refused
	}
	if err := undo(err); err != nil {
		return nil, err
	}
	if br == nil {
		br = bufio.NewReader(conn)
	}
	return &Link{conn: conn, r: br, client: true, maxMessage: o.MaxMessage}, nil
}

type readWriter struct {
	io.Reader
	io.Writer
}

// readReason makes the text of a refusal from the response: its body, or else the
// reason of its status line.
func readReason(reason []byte, resp io.Reader) string {
	text := string(reason)
	if r, err := http.ReadResponse(bufio.NewReader(resp), nil); err == nil {
		if body, _ := io.ReadAll(io.LimitReader(r.Body, maxReason)); len(body) > 0 {
			text = string(body)
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(text, "?"))
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
