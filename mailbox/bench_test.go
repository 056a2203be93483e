package mailbox_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/actorgrid/actorgrid/mailbox"
)

func BenchmarkTryPutTryGet(b *testing.B) {
	for _, queued := range []int{0, 63} {
		b.Run(fmt.Sprintf("queued=%d", queued), func(b *testing.B) {
			box := mailbox.New[[]byte](64)
			m := make([]byte, 8)
			for range queued {
				box.TryPut(m)
			}
			b.ReportAllocs()
			for b.Loop() {
				box.TryPut(m)
				box.TryGet()
			}
		})
	}
}

func BenchmarkPutGetContended(b *testing.B) {
	for _, capacity := range []int{1, 64} {
		b.Run(fmt.Sprintf("capacity=%d", capacity), func(b *testing.B) {
			ctx := context.Background()
			box := mailbox.New[int](capacity)
			done := make(chan struct{})
			go func() { // ends with the mailbox; done tells
				defer close(done)
				for {
					if _, err := box.Get(ctx); err != nil {
						return
					}
				}
			}()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					box.Put(ctx, 1)
				}
			})
			box.Close(nil)
			<-done
		})
	}
}

// The same with a Go channel, to compare.
func BenchmarkChannelContended(b *testing.B) {
	for _, capacity := range []int{1, 64} {
		b.Run(fmt.Sprintf("capacity=%d", capacity), func(b *testing.B) {
			c := make(chan int, capacity)
			done := make(chan struct{})
			go func() { // ends with the channel; done tells
				defer close(done)
				for range c {
				}
			}()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c <- 1
				}
			})
			close(c)
			<-done
		})
	}
}

func BenchmarkCredit(b *testing.B) {
	b.Run("op=TryTakeReturn", func(b *testing.B) {
		var c mailbox.Credit
		c.Init(8)
		b.ReportAllocs()
		for b.Loop() {
			c.TryTake()
			c.Return(1)
		}
	})
	b.Run("op=TakeNReturn", func(b *testing.B) {
		var c mailbox.Credit
		c.Init(8)
		b.ReportAllocs()
		for b.Loop() {
			c.TakeN(context.Background(), 8)
			c.Return(8)
		}
	})
}
