package test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
)

// draining is a pair with a single and a stream under way in both directions, none of
// which ends before it is released.
type draining struct {
	*pair
	release chan struct{}
	ends    chan error
}

func (n *rig) draining(t *testing.T) *draining {
	t.Helper()
	d := &draining{release: make(chan struct{}), ends: make(chan error, 4)}
	entered := make(chan struct{}, 4)
	wait := func(ctx context.Context) error {
		entered <- struct{}{}
		select {
		case <-d.release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	d.pair = n.pair(t,
		single(hOwn, func(ctx context.Context, req []byte) ([]byte, error) { return []byte("done"), wait(ctx) }),
		mux(hOwn2, gridnode.MuxHandler{Handle: func(ctx context.Context, st *gridnode.MuxServer) error {
			if err := wait(ctx); err != nil {
				return err
			}
			return st.Send(ctx, []byte("done"))
		}}),
	)
	for _, conn := range []*gridnode.Connection{d.conn, d.back} {
		go func() { // ends with the call
			resp, err := conn.Request(background, hOwn, nil)
			if err == nil && string(resp) != "done" {
				err = errors.New("another response")
			}
			d.ends <- err
		}()
		st, err := conn.OpenMux(background, hOwn2, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { // ends with the stream
			msg, err := st.Recv(background)
			if err == nil && string(msg) != "done" {
				err = errors.New("another message")
			}
			if err == nil {
				if _, end := st.Recv(background); end.Error() != "EOF" {
					err = end
				}
			}
			d.ends <- err
		}()
	}
	for range 4 {
		receive(t, "the handlers run", entered)
	}
	return d
}

// wantNewCallsFail waits until the drain has begun: calls fail, and say that they were
// not sent.
func wantNewCallsFail(t *testing.T, conn *gridnode.Connection) {
	t.Helper()
	var err error
	eventually(t, "new calls fail", func() bool {
		_, err = conn.Request(background, hEcho, nil)
		return err != nil
	})
	if !errors.Is(err, gridnode.ErrNotSent) && !errors.Is(err, gridnode.ErrClosed) {
		t.Errorf("a new call fails with %v, want ErrNotSent or ErrClosed", err)
	}
	_, err = conn.OpenMux(background, hEchoMux, nil)
	if !errors.Is(err, gridnode.ErrNotSent) && !errors.Is(err, gridnode.ErrClosed) {
		t.Errorf("a new stream fails with %v, want ErrNotSent or ErrClosed", err)
	}
}

// Shutdown: running calls and streams of both directions finish, new ones of both
// sides fail and say so, and then the node is closed.
func TestShutdownDrains(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		d := n.draining(t)
		node, ended := d.Node(d.server), make(chan error, 1)
		go func() { ended <- node.Shutdown(background) }() // ends with the last call
		wantNewCallsFail(t, d.back)
		wantNewCallsFail(t, d.conn)
		select {
		case err := <-ended:
			t.Fatalf("Shutdown did not wait: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		close(d.release)
		for range 4 {
			if err := receive(t, "the calls finish", d.ends); err != nil {
				t.Errorf("a call that was under way: %v", err)
			}
		}
		if err := receive(t, "Shutdown returns", ended); err != nil {
			t.Error(err)
		}
		if s := d.back.State(); s != gridnode.StateClosed {
			t.Errorf("the state is %v afterwards", s)
		}
		_, err := d.back.Request(background, hEcho, nil)
		wantIs(t, err, gridnode.ErrClosed)
		if err := node.Close(); err != nil {
			t.Errorf("Close after Shutdown: %v", err)
		}
		d.Stop(d.server)
	})
}

// Shutdown: when its context ends, the rest is cut off, and its error says so.
func TestShutdownIsCutOffByItsContext(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		d := n.draining(t)
		ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := d.Node(d.server).Shutdown(ctx)
		n.wantWithin(t, "Shutdown", start, 50*time.Millisecond)
		wantIs(t, err, context.DeadlineExceeded)
		for range 4 {
			wantIs(t, receive(t, "the calls end", d.ends), gridnode.ErrDisconnected)
		}
		d.Stop(d.server)
	})
}

// Shutdown of a node with nothing to do, of one that was never started, twice, and
// beside Close: each returns.
func TestShutdownOfAnIdleNodeIsClose(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		p := n.pair(t)
		node := p.Node(p.server)
		start := time.Now()
		if err := node.Shutdown(background); err != nil {
			t.Error(err)
		}
		n.wantWithin(t, "Shutdown", start, 10*time.Millisecond)
		if err := node.Shutdown(background); err != nil {
			t.Errorf("the second Shutdown: %v", err)
		}
		p.Stop(p.server)
		fresh := newNode(t)
		if err := fresh.Shutdown(background); err != nil {
			t.Errorf("Shutdown of a node that was never started: %v", err)
		}
		wantIs(t, fresh.Start(), gridnode.ErrClosed)
	})
}

// Close ends everything at once: calls with ErrDisconnected, handlers' contexts too.
func TestCloseEndsEverythingAtOnce(t *testing.T) {
	onEveryNetwork(t, func(t *testing.T, n *rig) {
		d := n.draining(t)
		start := time.Now()
		var closers sync.WaitGroup
		for range 5 { // from several goroutines
			closers.Go(func() {
				if err := d.Node(d.server).Close(); err != nil {
					t.Error(err)
				}
			})
		}
		closers.Wait()
		n.wantWithin(t, "Close", start, 0)
		for range 4 {
			wantIs(t, receive(t, "the calls end", d.ends), gridnode.ErrDisconnected)
		}
		d.Stop(d.server) // closes once more
	})
}

// A handler that does not return is named by Close, which does not wait for ever.
func TestCloseReportsHandlersThatDoNotReturn(t *testing.T) {
	onEach(t, []network{memory, tcp, loopback}, func(t *testing.T, n *rig) {
		entered, release := make(chan struct{}, 1), make(chan struct{})
		p := n.pair(t, config(func(cfg *gridnode.Config) { cfg.CloseTimeout = 100 * time.Millisecond }),
			single(hOwn, func(context.Context, []byte) ([]byte, error) {
				entered <- struct{}{}
				<-release
				return nil, nil
			}))
		ended := make(chan error, 1)
		go func() { // ends with the call
			_, err := p.conn.Request(background, hOwn, nil)
			ended <- err
		}()
		receive(t, "the handler runs", entered)
		start := time.Now()
		if err := p.Node(p.server).Close(); err == nil {
			t.Error("Close did not report the handler")
		}
		n.wantWithin(t, "Close", start, 100*time.Millisecond)
		wantIs(t, receive(t, "the call ends", ended), gridnode.ErrDisconnected)
		close(release)
		eventually(t, "the handler returns", func() bool { return p.Node(p.server).Close() == nil })
		p.Stop(p.server)
	})
}
