// Package test holds the behaviour tests of the grid: what a user of gridnode may
// rely on, seen from outside, over every network that a node runs on.
//
// Each behaviour is one function that runs over the in-memory network (in virtual
// time), over loopback TCP, over TLS, and most of them over the connection of a node
// to itself; see onEveryNetwork. After each of them both sides must be idle: no call,
// no stream, no byte held.
package test
