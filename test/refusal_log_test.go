package test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actorgrid/actorgrid/gridnode"
	"github.com/actorgrid/actorgrid/gridnode/gridtest"
)

// A peer that is refused comes again every few seconds, for hours: that costs the log of
// neither side more than a line now and then, also if the application's reason is a new
// one each time, and if attempts fail for one cause and another by turns.
func TestAPeerThatIsRefusedCostsFewLogLines(t *testing.T) {
	for name, fails := range map[string]func(attempt int64) error{
		"each time":         func(int64) error { return nil },
		"every second time": func(attempt int64) error { return []error{errors.New("no route"), nil}[attempt%2] },
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n *rig) {
				var log logLines
				var asked, dialled atomic.Int64
				n.cluster(t, 2, log.option(), gridtest.WithoutWait(), config(func(cfg *gridnode.Config) {
					dial := cfg.Dial
					cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						if err := fails(dialled.Add(1)); err != nil {
							return nil, err
						}
						return dial(ctx, network, addr)
					}
					cfg.Verify = func(context.Context, string, string, *tls.ConnectionState) error {
						return fmt.Errorf("expired, attempt %d", asked.Add(1))
					}
				}))
				<-time.After(time.Hour)
				if asked.Load() < 200 {
					t.Errorf("only %d attempts", asked.Load())
				}
				refused, failed := log.count("refused a connection"), log.count("cannot connect")
				if refused < 1 || refused > 8 || failed < 1 || failed > 3 { // one of a knock in vain
					t.Errorf("%d lines of the acceptor, %d of the dialler:\n%s", refused, failed, strings.Join(log.all()[:10], "\n"))
				}
			})
		})
	}
}
