// Package actor runs goroutines that have a mailbox and an end.
//
// There are two forms. An actor made by Spawn has a goroutine of its own, owned by
// a Group. A Reactor has none while it is idle: a Pool of reused goroutines runs it
// when a message comes. Both take poison: a cause that overtakes the mailbox. An
// actor of Spawn is also reached while it is busy in its own code, because its poison
// cancels its context; a Reactor's receive is never interrupted.
//
// # Life
//
//	Idle ──► Running ──► Stopping ──► Dead
//	            └──────────────────────┘
//
// Spawn makes an actor Running; Poison, or the end of its group, makes it Stopping;
// it is Dead when its body has returned. No state is ever entered again.
//
// # Goroutines
//
// Every goroutine but one has an owner that waits for it: those of Go and Spawn are waited
// for by Group.Wait, the workers of a Pool by Pool.Wait. A Reactor has none of its
// own. A Context makes none, but for a callback that is registered just as it ends:
// nobody waits for that one, and it only ends a derived context.
//
// # Panics
//
// A panic in a group's goroutine is its error, a *PanicError. A panic in a task of a
// Pool is told to the pool's onPanic and costs the pool nothing. A panic in a
// Reactor's receive does that too, and is the reactor's poison.
//
// # Limitations
//
// A context derived from a Context costs no goroutine, but one derived from a
// context.WithValue of it does, until either ends: the context package starts it for
// any context that it cannot see through.
package actor
