package peer

import (
	"context"
	"io"

	"github.com/actorgrid/actorgrid/gridnode"
)

// gridChannels is the serving side of a stream in its channel form.
type gridChannels struct {
	in  <-chan []byte
	out chan<- []byte
}

func (c gridChannels) Send(ctx context.Context, msg []byte) error {
	select {
	case c.out <- msg:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c gridChannels) Recv(ctx context.Context) ([]byte, error) {
	select {
	case msg, ok := <-c.in:
		if !ok {
			return nil, io.EOF
		}
		return msg, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// gridChannelStream is the calling side.
type gridChannelStream struct{ st *gridnode.Stream }

func (s gridChannelStream) Send(ctx context.Context, msg []byte) error {
	select {
	case s.st.Requests <- msg:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s gridChannelStream) Recv(ctx context.Context) ([]byte, error) {
	select {
	case r, ok := <-s.st.Responses:
		if !ok {
			return nil, io.EOF
		}
		return r.Msg, r.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s gridChannelStream) CloseSend() error {
	if s.st.Requests != nil {
		close(s.st.Requests)
	}
	return nil
}
