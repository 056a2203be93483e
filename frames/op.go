package frames

import "strconv"

// Op says what a frame is (SPEC.md section 4).
type Op uint8

// Hello, Accept and Refuse are the opening exchange, one to a WebSocket message;
// the others travel in batches.
const (
	OpHello     Op = 1 + iota // dialler: who I am and what I serve
	OpAccept                  // acceptor: the same, and welcome
	OpRefuse                  // acceptor: no, with a code and a reason
	OpRequest                 // opens a single
	OpReply                   // ends a single with its response
	OpOpen                    // opens a stream
	OpData                    // one message of a stream, or a fragment of one
	OpCredit                  // messages (or, for mux 0, bytes) that may be sent in addition
	OpCloseSend               // the opener of a stream sends no more messages
	OpStatus                  // ends a stream, or ends a single with an error
	OpCancel                  // the opener has given up the mux
	OpPing                    // to be answered with a pong
	OpPong                    // answer to a ping, with its number
	OpGoaway                  // no new muxes, please: the sender drains
)

var opNames = [...]string{"op 0", "hello", "accept", "refuse", "request", "reply", "open", "data", "credit", "close-send", "status", "cancel", "ping", "pong", "goaway"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "op " + strconv.Itoa(int(o))
}

// Flags of the frames that carry a message.
type Flags uint8

// A message that is cut into fragments is sent as one frame with FlagMore, any
// number with both flags, and one with FlagCont.
const (
	FlagMore Flags = 1 << iota // more fragments of this message follow
	FlagCont                   // this frame continues a message
)

// Code tells how a call ended, or why a connection was refused. Codes of 1000 and
// above belong to applications.
type Code uint32

// How calls end.
const (
	CodeOK Code = iota
	CodeCanceled
	CodeDeadlineExceeded
	CodeUnknownHandler
	CodeOverloaded
	CodeDisconnected
	CodeNotSent
	CodeClosed
	CodeMessageTooLarge
	CodeProtocol
	CodeInternal
	CodeApplication
)

// Why connections are refused.
const (
	RefuseVersion Code = 32 + iota
	RefuseUnknownPeer
	RefuseHost
	RefuseToken
	RefuseDirection
	RefuseHello
	RefusePath
)

var codeNames = map[Code]string{
	CodeOK: "ok", CodeCanceled: "canceled", CodeDeadlineExceeded: "deadline exceeded",
	CodeUnknownHandler: "unknown handler", CodeOverloaded: "overloaded", CodeDisconnected: "disconnected",
	CodeNotSent: "not sent", CodeClosed: "closed", CodeMessageTooLarge: "message too large",
	CodeProtocol: "protocol error", CodeInternal: "internal", CodeApplication: "application",
	RefuseVersion: "version", RefuseUnknownPeer: "unknown peer", RefuseHost: "wrong host",
	RefuseToken: "credential", RefuseDirection: "wrong direction", RefuseHello: "bad hello", RefusePath: "wrong path",
}

func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}
