// Package gridtest runs grids inside a test: any number of real nodes in one
// process, over an in-memory network or over loopback TCP, plain or TLS, with links
// that can be cut, delayed, throttled, stalled and partitioned.
//
//	c := gridtest.NewCluster(t, 3, gridtest.WithHandlers(register))
//	resp, err := c.Conn(0, 1).Request(ctx, handler, req)
//	c.Link(0, 1).Cut()
//
// Over the in-memory network, which is the default, a cluster may be built inside a
// testing/synctest bubble: time is then the bubble's, and delays cost nothing.
//
// # Names
//
// The nodes are called http://node0:9000, http://node1:9000 and so on, over TLS
// https://node0:9000 and so on, whatever their addresses are, so that which of two
// nodes dials the other never changes from run to run. Their Config.Dial resolves
// these names; nothing asks a name server.
//
// # Ownership
//
// The test owns the cluster. At the test's end every node is closed, a Close that
// returns an error fails the test, and no goroutine of the cluster is left. What the
// test opens itself, by Listen and Dial, it closes itself.
package gridtest
