package actor

import "testing"

type numbered int

func (numbered) Run() {}

func TestTaskRingKeepsOrderWhileItWrapsAndGrows(t *testing.T) {
	var r taskRing
	in, out := 0, 0
	for round := range 100 {
		for range round {
			r.push(numbered(in))
			in++
		}
		for range round - round/3 {
			got, ok := r.pop()
			if !ok || got != numbered(out) {
				t.Fatalf("pop() = %v, %t; want %d", got, ok, out)
			}
			out++
		}
		if r.length != in-out {
			t.Fatalf("length %d, want %d", r.length, in-out)
		}
	}
	for ; out < in; out++ {
		if got, _ := r.pop(); got != numbered(out) {
			t.Fatalf("pop() = %v, want %d", got, out)
		}
	}
	if _, ok := r.pop(); ok {
		t.Error("pop of an empty ring")
	}
	for i, task := range r.slots {
		if task != nil {
			t.Errorf("slot %d keeps its task alive", i)
		}
	}
}
