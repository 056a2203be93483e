package memnet

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHTTPServesInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		l, err := n.Listen("b:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, r.Body)
		})}
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := server.Serve(l); err != http.ErrServerClosed {
				t.Errorf("Serve = %v", err)
			}
		})
		transport := &http.Transport{DialContext: n.Host("a").Dial}
		client := &http.Client{Transport: transport}
		n.Link("a", "b").Delay(time.Second)
		wantAfter(t, 2*time.Second, func() {
			resp, err := client.Get("http://b/")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		})
		transport.CloseIdleConnections()
		server.Close()
		serving.Wait()
	})
}
