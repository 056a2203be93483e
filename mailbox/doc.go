// Package mailbox is the bounded queue that feeds an actor, and the credit window
// that bounds what its peers may have in flight. It has no goroutine and knows
// nothing of what the messages are. Whoever must wait does so on a channel, so both
// types work under testing/synctest.
package mailbox
