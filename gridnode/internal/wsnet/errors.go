package wsnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrClosed is the end of a connection that was closed without an error.
var ErrClosed = errors.New("wsnet: closed")

// CloseError is the end of a connection whose peer sent a close frame.
type CloseError struct {
	Code   uint16 // RFC 6455 section 7.4; 1005 if there was none
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket closed by the peer: code %d %q", e.Code, e.Reason)
}

// ProtocolError is the end of a connection whose peer broke RFC 6455, or exceeded
// the size limit. The peer is told by a close frame with the code.
type ProtocolError struct {
	Code   uint16
	Reason string
}

func (e *ProtocolError) Error() string { return "websocket: " + e.Reason }

func violation(code uint16, format string, args ...any) error {
	return &ProtocolError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// PanicError is the end of a connection whose handler panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("wsnet: panic: %v\n%s", e.Value, e.Stack) }

// StatusError is the answer of an HTTP server that did not upgrade.
type StatusError struct {
	Code   int
	Reason string
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.Code, e.Reason) }

// Codes of close frames (RFC 6455 section 7.4.1).
const (
	codeNormal      = 1000
	codeGoingAway   = 1001
	codeProtocol    = 1002
	codeUnsupported = 1003
	codeNone        = 1005 // never on the wire
	codeNotUTF8     = 1007
	codePolicy      = 1008
	codeTooBig      = 1009
	codeInternal    = 1011
)

// closePayload is what the peer is told when a connection ends with err: the code
// alone, as texts may hold what is not the peer's business.
func closePayload(err error) []byte {
	code := uint16(codeGoingAway)
	var (
		peer      *CloseError
		breach    *ProtocolError
		recovered *PanicError
	)
	switch {
	case errors.As(err, &peer):
		if code = peer.Code; code == codeNone {
			return nil
		}
	case errors.As(err, &breach):
		code = breach.Code
	case errors.As(err, &recovered):
		code = codeInternal
	case errors.Is(err, ErrClosed):
		code = codeNormal
	}
	return binary.BigEndian.AppendUint16(nil, code)
}

// closeError reads the payload of a close frame (RFC 6455 section 5.5.1).
func closeError(payload []byte) error {
	if len(payload) == 0 {
		return &CloseError{Code: codeNone}
	}
	if len(payload) == 1 {
		return violation(codeProtocol, "close frame of one byte")
	}
	e := &CloseError{Code: binary.BigEndian.Uint16(payload), Reason: string(payload[2:])}
	if !sendable(e.Code) {
		return violation(codeProtocol, "close frame with code %d", e.Code)
	}
	if !utf8.ValidString(e.Reason) {
		return violation(codeNotUTF8, "close frame with a reason that is not UTF-8")
	}
	return e
}

// sendable reports whether a code may appear in a close frame: those of the IANA
// registry, and those left to libraries and applications.
func sendable(code uint16) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}
