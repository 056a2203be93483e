package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/actorgrid/actorgrid/mailbox"
)

// The sender chooses what a full mailbox means for it.
func ExampleMailbox() {
	var box mailbox.Mailbox[string] // to be embedded by value
	box.Init(2)
	box.TryPut("a")
	box.TryPut("b")
	fmt.Println(box.TryPut("c"))
	fmt.Println(box.PutDropOldest("d"))
	box.Close(nil)
	for {
		m, err := box.Get(context.Background())
		if err == io.EOF {
			break
		}
		fmt.Println(m)
	}
	// Output:
	// mailbox: full
	// true <nil>
	// b
	// d
}

// Poison reaches the receiver of a full mailbox, before what is queued.
func ExampleMailbox_Poison() {
	box := mailbox.New[string](1)
	box.TryPut("late")
	box.Poison(errors.New("connection lost"))
	_, err := box.Get(context.Background())
	fmt.Println(err)
	box.Drain(func(m string) { fmt.Println("left:", m) })
	// Output:
	// connection lost
	// left: late
}

func ExampleCredit() {
	var window mailbox.Credit
	window.Init(2) // two messages may be on their way
	fmt.Println(window.TryTake(), window.TryTake(), window.TryTake())
	window.Return(1) // one was taken by the receiver
	fmt.Println(window.Take(context.Background()))
	// Output:
	// true true false
	// <nil>
}
