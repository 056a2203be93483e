package gridnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/actorgrid/actorgrid/frames"
	"github.com/actorgrid/actorgrid/gridnode/internal/buffer"
)

// HandlerID names a handler. 0 is invalid; the same number means the same handler
// on every node, and a number once given out is never used for something else.
type HandlerID uint16

// SingleHandler answers one request. req belongs to the handler, which may keep
// it or return it as the response; the response must not be changed after the
// return. ctx ends with the caller's cancellation, deadline or loss, with the
// reason as its cause. A nil response arrives as nil, an empty one as empty.
// RegisterSingleLending and RegisterSingleInline have other rules for req and ctx.
type SingleHandler func(ctx context.Context, req []byte) ([]byte, error)

// MuxHandler serves streams through methods. The stream ends when Handle returns:
// with nil the caller sees a clean end (io.EOF), otherwise that error, after all
// items sent before.
type MuxHandler struct {
	Handle      func(ctx context.Context, st *MuxServer) error
	InCapacity  int    // requests in flight to the handler; 0: it takes none
	OutCapacity int    // responses in flight to the caller; below 1 means 1
	Subroute    string // static; joined with "/"
}

// StreamHandler serves streams through channels, on top of [MuxHandler].
type StreamHandler struct {
	// Handle must not close out. in is closed at the caller's clean end; on
	// cancellation or loss ctx is done. A message belongs to whoever received it.
	Handle      func(ctx context.Context, payload []byte, in <-chan []byte, out chan<- []byte) error
	InCapacity  int    // requests in flight to the handler; 0: it takes none and in is nil
	OutCapacity int    // responses in flight to the caller; below 1 means 1
	Subroute    string // static; joined with "/"
}

// maxStreamCapacity bounds InCapacity and OutCapacity, in messages.
const maxStreamCapacity = 1 << 20

// handlerKey is how callers name a handler; the wire carries an index into the
// serving side's announced table instead.
type handlerKey struct {
	id    HandlerID
	kind  frames.Kind
	route string
}

// compare orders keys, in any way: the number tells most of them apart.
func (k handlerKey) compare(other handlerKey) int {
	if k.id != other.id {
		return int(k.id) - int(other.id)
	}
	if k.kind != other.kind {
		return int(k.kind) - int(other.kind)
	}
	return strings.Compare(k.route, other.route)
}

// handler is one entry of the table. Exactly one of single and mux is set.
type handler struct {
	key     handlerKey
	single  SingleHandler
	lends   bool // the request is only lent to single, whose response may lie in it
	inline  bool // and single is called by the reader
	mux     func(ctx context.Context, st *MuxServer) error
	in, out int
	channel bool // what arrives goes to a channel, see lane
	room    int  // of the channel, in messages: the capacity is in and room
}

// take returns a copy of a request. One that is lent has room for most responses.
func (h *handler) take(req []byte) []byte {
	if !h.lends || req == nil {
		return cloneBytes(req)
	}
	return append(buffer.Get(max(len(req), responseSpace)), req...)
}

// responseSpace is what a request that is only lent offers a response, in bytes.
const responseSpace = 4 << 10

// registry holds the handlers in the order in which they are announced. It is
// written until Start and read without a lock from then on.
type registry struct {
	mu    sync.Mutex
	fixed bool
	table []*handler
	index map[handlerKey]int
}

func (r *registry) add(h *handler) error {
	if h.key.id == 0 {
		return errors.New("gridnode: handler ID 0 is invalid")
	}
	if in := h.in + h.room; in < 0 || in > maxStreamCapacity {
		return fmt.Errorf("gridnode: handler %d: InCapacity: %d is not within 0 and %d", h.key.id, in, maxStreamCapacity)
	}
	if h.out > maxStreamCapacity {
		return fmt.Errorf("gridnode: handler %d: OutCapacity: %d is above %d", h.key.id, h.out, maxStreamCapacity)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fixed {
		return fmt.Errorf("gridnode: handler %d: registered after Start", h.key.id)
	}
	for key := range r.index {
		if key.id == h.key.id && key.route == h.key.route {
			return fmt.Errorf("gridnode: handler %d, subroute %q: %w", h.key.id, h.key.route, ErrHandlerExists)
		}
	}
	if r.index == nil {
		r.index = make(map[handlerKey]int)
	}
	r.index[h.key] = len(r.table)
	r.table = append(r.table, h)
	return nil
}

// fix ends registration and returns what the hello announces.
func (r *registry) fix() []frames.HandlerInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fixed = true
	infos := make([]frames.HandlerInfo, len(r.table))
	for i, h := range r.table {
		infos[i] = frames.HandlerInfo{ID: uint16(h.key.id), Kind: h.key.kind, In: uint32(h.in), Out: uint32(h.out), Route: h.key.route}
	}
	return infos
}

// at returns the handler with this index in the announced table, or nil.
func (r *registry) at(target uint32) *handler {
	if uint64(target) >= uint64(len(r.table)) {
		return nil
	}
	return r.table[target]
}

// joinRoute joins the parts of a static subroute with "/".
func joinRoute(parts ...string) string { return strings.Join(parts, "/") }

// RegisterSingle registers h under id and the subroute parts, joined with "/".
// It fails with ErrHandlerExists if the pair is taken, and after Start.
func (m *Manager) RegisterSingle(id HandlerID, h SingleHandler, subroute ...string) error {
	if h == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	return m.registerSingle(id, &handler{single: h}, subroute)
}

func (m *Manager) registerSingle(id HandlerID, h *handler, subroute []string) error {
	h.key = handlerKey{id: id, kind: frames.KindSingle, route: joinRoute(subroute...)}
	return m.handlers.add(h)
}

// RegisterMux registers a stream handler that works through methods. It fails
// like RegisterSingle.
func (m *Manager) RegisterMux(id HandlerID, h MuxHandler) error {
	if h.Handle == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	key := handlerKey{id: id, kind: frames.KindStream, route: h.Subroute}
	return m.handlers.add(&handler{key: key, mux: h.Handle, in: h.InCapacity, out: max(h.OutCapacity, 1)})
}

// RegisterStream registers a stream handler that works through channels. It fails
// like RegisterSingle.
func (m *Manager) RegisterStream(id HandlerID, h StreamHandler) error {
	if h.Handle == nil {
		return fmt.Errorf("gridnode: handler %d: no function", id)
	}
	room := laneRoom(h.InCapacity)
	return m.handlers.add(&handler{
		key: handlerKey{id: id, kind: frames.KindStream, route: h.Subroute}, mux: channelHandler(h),
		in: h.InCapacity - room, out: max(h.OutCapacity, 1), channel: h.InCapacity > 0, room: room,
	})
}
