package wsnet

import (
	"errors"
	"net/http"
	"time"

	"github.com/gobwas/ws"
)

// upgradeTimeout bounds the writing of the answer to an upgrade request, to a peer
// that may not read it.
const upgradeTimeout = 5 * time.Second

// Upgrade upgrades a request (RFC 6455 section 4.2) and takes its connection over.
// After an error the request has been answered. maxMessage is the size of the
// largest message accepted after Start, in bytes.
func Upgrade(w http.ResponseWriter, r *http.Request, maxMessage int) (*Link, error) {
	conn, rw, _, err := ws.HTTPUpgrader{Timeout: upgradeTimeout}.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
		return nil, err
	}
	return &Link{conn: conn, r: rw.Reader, client: false, maxMessage: maxMessage}, nil
}
