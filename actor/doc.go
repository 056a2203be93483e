// Package actor runs goroutines that have a mailbox and an end.
//
// There are two forms. An actor made by Spawn has a goroutine of its own, owned by
// a Group. A Reactor has none while it is idle: a Pool of reused goroutines runs it
// when a message comes. Both take poison: a cause that overtakes the mailbox and
// cancels the actor's context, so that it reaches an actor that is blocked in a
// receive as well as one that is busy in its own code.
package actor
