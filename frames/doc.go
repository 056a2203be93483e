// Package frames is the wire format of the grid: what sections 3 to 6 of SPEC.md in
// this directory say, as Append and Decode. It has no goroutine, no clock and no I/O.
//
// A WebSocket message of a live session is a batch: a checksum, if one was agreed on,
// and frames one behind the other, each a small msgpack array. [Append] adds a frame
// to a batch, [Decode] takes the first one off. [PutChecksum] and [CheckBatch] are for
// the checksum in front. The opening exchange, one array to a message, has
// [AppendHello], [AppendRefuse] and [DecodeHandshake].
//
//	batch := make([]byte, frames.ChecksumSize)
//	batch = frames.Append(batch, &frame) // as often as there are frames
//	frames.PutChecksum(batch)
//
//	body, err := frames.CheckBatch(batch)
//	for err == nil && len(body) > 0 {
//		body, err = frames.Decode(body, &frame) // frame.Payload is part of batch
//	}
//
// Who owns the bytes: Append copies what it is given. The Text and Payload of a decoded
// frame, and what CheckBatch returns, are parts of the input: whoever keeps them
// longer than the input copies them. What DecodeHandshake returns is the caller's.
// Text and Payload have no spare capacity, so that an append to them copies.
//
// Cost: Append, Decode and the checksum allocate nothing, but for the room that the
// batch needs and for errors. No length that the input claims makes anything allocate.
// Functions may be called concurrently on different batches.
//
// Limitations: a frame by itself is all that is checked here. Whether its mux exists,
// its code has a meaning, its payload is within the limits or its fragments add up is
// the session's business (package gridnode). Append trusts its caller: a frame with an
// op or flags that do not exist, or mux 0 where it is not allowed, is encoded and will
// be refused.
package frames
