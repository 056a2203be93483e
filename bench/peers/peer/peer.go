// Package peer puts the libraries that are compared behind one small interface.
// Each is in a file of its own and is used as its documentation says, with its
// defaults, but for the codec: all of them move plain bytes.
package peer

import (
	"context"
	"errors"
)

// Role is what a peer stands for in the comparison.
type Role string

// The roles.
const (
	Subject   Role = "subject"   // what is measured: this project
	Floor     Role = "floor"     // no library: what the kernel and a minimum of code cost
	Reference Role = "reference" // a shape of our own, written for this comparison
	Library   Role = "library"
)

// Peer is one way for two Go servers to call each other.
type Peer struct {
	Name    string
	Role    Role
	About   string // one line for the report
	Module  string // whose version is reported; empty for our own code
	Streams Kinds

	// OneConnection is false for a peer that opens more than one connection for
	// concurrent callers, and does not compete where one is the condition.
	OneConnection bool

	// NewDialer makes the calling side of a pair, before its server is started.
	NewDialer func() (Dialer, error)
	// Serve starts a server for the calling side of this name.
	Serve func(caller string) (Server, error)
	// NewMesh starts n nodes of which each calls every other, with one connection
	// per pair of nodes. Nil: the peer has no such thing.
	NewMesh func(n int) (Mesh, error)
}

// Call makes one request and returns its response, which may be overwritten by the
// next call of the same caller.
type Call func(ctx context.Context, req []byte) ([]byte, error)

// Server answers singles with their request, and streams as [Kind] says.
type Server interface {
	Addr() string
	Close() error
}

// Dialer is the calling side before it is connected.
type Dialer interface {
	Name() string // what the server must be told
	Dial(addr string) (Client, error)
}

// Client is one connection, or as many as the peer needs for its callers.
type Client interface {
	// Caller returns what the i-th of several concurrent callers uses.
	Caller(i int) (Call, error)
	Close() error
}

// Mesh is a number of nodes of which each is connected to every other.
type Mesh interface {
	Caller(from, to int) (Call, error)
	Close() error
}

// ErrUnsupported is returned for what a peer does not have.
var ErrUnsupported = errors.New("peer: unsupported")

// dialFunc is a Dialer without a name.
type dialFunc func(addr string) (Client, error)

func (dialFunc) Name() string                       { return "" }
func (d dialFunc) Dial(addr string) (Client, error) { return d(addr) }

// anonymous is the NewDialer of a peer whose calling side has no name.
func anonymous(dial dialFunc) func() (Dialer, error) {
	return func() (Dialer, error) { return dial, nil }
}

// Pair is a server and a client connected to it.
type Pair struct {
	Server Server
	Client Client
}

// NewPair starts a server of p and connects to it.
func NewPair(p *Peer) (*Pair, error) {
	dialer, err := p.NewDialer()
	if err != nil {
		return nil, err
	}
	server, err := p.Serve(dialer.Name())
	if err != nil {
		return nil, err
	}
	client, err := dialer.Dial(server.Addr())
	if err != nil {
		server.Close()
		return nil, err
	}
	return &Pair{Server: server, Client: client}, nil
}

// Close closes the calling side first.
func (p *Pair) Close() error {
	return errors.Join(p.Client.Close(), p.Server.Close())
}
