package frames

// Frame is one frame of any op but the opening exchange; each op uses some of the
// fields (SPEC.md section 6), and Append ignores the others. After Decode, Text and
// Payload borrow from the input.
type Frame struct {
	Op      Op
	Flags   Flags  // Request, Reply, Open, Data; section 5.3
	Mux     uint64 // all but Ping, Pong and Goaway; 0 is the session, in Credit only; section 7
	Target  uint32 // Request, Open: index in the receiver's announced table of handlers; section 3.3
	Timeout uint64 // Request, Open: microseconds left to the call; 0 is none; section 12
	Size    uint64 // bytes of the whole message, in the first of its fragments only; section 8
	Credit  uint64 // Open: responses that may be in flight; Credit: more of that, section 11; Ping, Pong: the number, section 15
	Code    Code   // Status, Cancel, Goaway; section 14
	Text    []byte // Status, Cancel, Goaway: for people; nil and empty are the same
	Payload []byte // Request, Reply, Open, Data: nil and empty are different; section 6.1
}
