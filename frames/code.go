package frames

import "strconv"

// Code tells how a call ended, or why a connection was refused (SPEC.md section 14).
// Codes of 1000 and above belong to applications.
type Code uint32

// How calls end.
const (
	CodeOK               Code = iota
	CodeCanceled              // its caller gave up
	CodeDeadlineExceeded      // its time ran out
	CodeUnknownHandler        // there is no such handler, or not of this kind
	CodeOverloaded            // a limit of the receiver is reached
	CodeDisconnected          // a connection was lost, the outcome is unknown
	CodeNotSent               // there was no connection, nothing was sent
	CodeClosed                // the node is closed or drains
	CodeMessageTooLarge       // a message exceeds the limit of either side
	CodeProtocol              // the peer broke a rule that concerns one mux
	CodeInternal              // the handler panicked
	CodeApplication           // the handler's error has no code
	CodeOverloadedWithin      // the handler ran, and a call of its own was overloaded
)

// Why connections are refused.
const (
	RefuseVersion     Code = 32 + iota // another protocol version
	RefuseUnknownPeer                  // the dialler's name is not known here
	RefuseHost                         // this node has another name
	RefuseToken                        // the credential does not prove the name
	RefuseDirection                    // it is the acceptor that dials: a knock
	RefuseHello                        // not a hello, or one that breaks a limit
	RefusePath                         // reserved: a wrong path is HTTP status 404
)

var codeNames = map[Code]string{
	CodeOK: "ok", CodeCanceled: "canceled", CodeDeadlineExceeded: "deadline exceeded",
	CodeUnknownHandler: "unknown handler", CodeOverloaded: "overloaded", CodeDisconnected: "disconnected",
	CodeNotSent: "not sent", CodeClosed: "closed", CodeMessageTooLarge: "message too large",
	CodeProtocol: "protocol error", CodeInternal: "internal", CodeApplication: "application", CodeOverloadedWithin: "overloaded within",
	RefuseVersion: "version", RefuseUnknownPeer: "unknown peer", RefuseHost: "wrong host",
	RefuseToken: "credential", RefuseDirection: "wrong direction", RefuseHello: "bad hello", RefusePath: "wrong path",
}

func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}
