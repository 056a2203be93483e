package peer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// Kind is what a stream does.
type Kind uint8

// The kinds.
const (
	Down Kind = iota + 1 // the server sends Plan.Count messages of Plan.Size bytes
	Up                   // the client sends; the server then sends one message, a [Tally]
	Echo                 // the server sends back each message
)

func (k Kind) String() string { return [...]string{"none", "down", "up", "echo"}[k] }

// Kinds is a set of kinds.
type Kinds uint8

// kinds is the set of these.
func kinds(of ...Kind) Kinds {
	var s Kinds
	for _, k := range of {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s Kinds) Has(k Kind) bool { return s&(1<<k) != 0 }

var allKinds = kinds(Down, Up, Echo)

// Window is how many messages may be in flight per stream and direction, where a
// peer lets its user say so.
const Window = 64

// Plan is what a Down stream is asked to send.
type Plan struct{ Count, Size uint32 }

func (p Plan) encode() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 8), p.Count)
	return binary.BigEndian.AppendUint32(b, p.Size)
}

func decodePlan(b []byte) (Plan, error) {
	if len(b) != 8 {
		return Plan{}, fmt.Errorf("plan of %d bytes", len(b))
	}
	p := Plan{Count: binary.BigEndian.Uint32(b), Size: binary.BigEndian.Uint32(b[4:])}
	if p.Size > MaxMessage {
		return Plan{}, fmt.Errorf("plan of messages of %d bytes, limit %d", p.Size, MaxMessage)
	}
	return p, nil
}

// Tally is what the server of an Up stream has received.
type Tally struct{ Count, Bytes uint64 }

func (t Tally) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), t.Count)
	return binary.BigEndian.AppendUint64(b, t.Bytes)
}

// DecodeTally reads what an Up stream has answered.
func DecodeTally(b []byte) (Tally, error) {
	if len(b) != 16 {
		return Tally{}, fmt.Errorf("tally of %d bytes", len(b))
	}
	return Tally{Count: binary.BigEndian.Uint64(b), Bytes: binary.BigEndian.Uint64(b[8:])}, nil
}

// Streamer is a Client with streams.
type Streamer interface {
	// Open opens a stream. plan matters for Down only.
	Open(ctx context.Context, kind Kind, plan Plan) (Stream, error)
}

// Stream is the calling side of a stream. Whoever opened it reads it to its end, or
// cancels the context of Open.
type Stream interface {
	Duplex
	CloseSend() error
}

// Duplex is what both sides of a stream have. Recv returns io.EOF at the clean end;
// its message may be overwritten by the next.
type Duplex interface {
	Send(ctx context.Context, msg []byte) error
	Recv(ctx context.Context) ([]byte, error)
}

// MaxMessage is the largest message that is measured.
const MaxMessage = 1 << 20

// Pattern returns size bytes that no prefix or shift of which is the same. It must
// not be changed.
func Pattern(size int) []byte { return pattern()[:size:size] }

var pattern = sync.OnceValue(func() []byte {
	b := make([]byte, MaxMessage)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
})

// serve is the serving side of all streams.
func serve(ctx context.Context, kind Kind, plan Plan, s Duplex) error {
	switch kind {
	case Down:
		return serveDown(ctx, plan, s)
	case Up:
		return serveUp(ctx, s)
	case Echo:
		return serveEcho(ctx, s)
	}
	return fmt.Errorf("unknown kind %d", kind)
}

func serveDown(ctx context.Context, plan Plan, s Duplex) error {
	msg := Pattern(int(plan.Size))
	for range plan.Count {
		if err := s.Send(ctx, msg); err != nil {
			return err
		}
	}
	return nil
}

func serveUp(ctx context.Context, s Duplex) error {
	var t Tally
	for {
		msg, err := s.Recv(ctx)
		if err == io.EOF {
			return s.Send(ctx, t.encode())
		}
		if err != nil {
			return err
		}
		t.Count++
		t.Bytes += uint64(len(msg))
	}
}

func serveEcho(ctx context.Context, s Duplex) error {
	for {
		msg, err := s.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(ctx, msg); err != nil {
			return err
		}
	}
}
