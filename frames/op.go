package frames

import "strconv"

// Op says what a frame is (SPEC.md section 5.2).
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

var opNames = [...]string{
	OpHello: "hello", OpAccept: "accept", OpRefuse: "refuse",
	OpRequest: "request", OpReply: "reply",
	OpOpen: "open", OpData: "data", OpCredit: "credit", OpCloseSend: "close-send",
	OpStatus: "status", OpCancel: "cancel",
	OpPing: "ping", OpPong: "pong", OpGoaway: "goaway",
}

func (o Op) String() string {
	if int(o) < len(opNames) && opNames[o] != "" {
		return opNames[o]
	}
	return "op " + strconv.Itoa(int(o))
}

// Flags of the frames that carry a message (SPEC.md section 5.3).
type Flags uint8

// A message that is cut into fragments is sent as one frame with FlagMore, any
// number with both flags, and one with FlagCont.
const (
	FlagMore Flags = 1 << iota // more fragments of this message follow
	FlagCont                   // this frame continues a message
)
