package gridnode

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// Whoever has its turn in the queue and cannot use it, since the peer drains meanwhile,
// passes it on: no write will come that would.
func TestTurnsOfCallsThatAreNotSentPassOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := live(t, Config{Window: 4 << 20}, nil)
		w.pending = maxPending + 1 // the transport takes no more
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ends := make(chan error, 40)
		for i := range 40 {
			go func() { // ends with the call
				var err error
				if i%2 == 0 {
					_, err = s.request(ctx, 0, make([]byte, 20_000))
				} else if st, openErr := s.openMux(ctx, remoteHandler{out: 1}, make([]byte, 20_000), nil); openErr != nil {
					err = openErr
				} else {
					_, err = st.Recv(ctx)
				}
				ends <- err
			}()
		}
		synctest.Wait()
		waiting := len(s.out.bulk.waiting)
		s.mu.Lock()
		s.drain = true
		s.mu.Unlock()
		w.mu.Lock()
		w.pending = 0
		w.mu.Unlock()
		s.Writable()
		synctest.Wait()
		if waiting < 10 || len(ends) != waiting {
			t.Errorf("%d of %d have been told", len(ends), waiting)
		}
		for range len(ends) {
			if err := <-ends; !errors.Is(err, ErrNotSent) {
				t.Error(err)
			}
		}
		cancel()
		for range 40 - waiting {
			<-ends
		}
	})
}
