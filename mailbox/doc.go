// Package mailbox is the bounded queue that feeds an actor, and the credit window
// that bounds what its peers may have in flight.
//
// It starts no goroutine and knows nothing of what the messages are. Whoever must
// wait does so on a channel that belongs to the mailbox or window it waits for, so
// both types work under testing/synctest.
//
// # Bounds
//
// A Mailbox never holds more than Cap messages, whatever its senders do. A message
// takes its slot when the put returns and frees it when Get, TryGet, PutDropOldest or
// Drain takes it out. Memory grows with the most messages that were ever queued at
// once, and returns with Drain.
//
// # Order
//
// Messages come out in the order in which they were put. Goroutines that wait in Get,
// or in Put, are served first come, first served among themselves; TryGet, TryPut and
// a Get or Put that finds what it needs do not queue behind them.
//
// # Ends
//
// Close lets the queue run out; Poison overtakes it. Poison needs no slot, so it can
// neither wait nor fail: a full mailbox can always be ended. A message and the end of
// a context that come together are no conflict: a message that was not handed out
// stays queued, and one that is queued is handed out even to a context that has ended.
package mailbox
