package heap_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/heap"
)

type appointment int

func (a appointment) Before(b appointment) bool { return a < b }

// Whatever is added and removed in whatever order, the least comes first: against a
// sorted slice.
func TestHeap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var want []appointment
		for range rnd.IntN(20) {
			want = append(want, appointment(rnd.IntN(10)))
		}
		h := slices.Clone(want)
		heap.Init(h)
		slices.Sort(want)
		for range 100 {
			if x := appointment(rnd.IntN(10)); len(want) == 0 || rnd.IntN(2) == 0 {
				heap.Push(&h, x)
				at, _ := slices.BinarySearch(want, x)
				want = slices.Insert(want, at, x)
				continue
			}
			if got := heap.Pop(&h); got != want[0] {
				t.Fatalf("Pop = %d, want %d of %v", got, want[0], want)
			}
			want = want[1:]
		}
		for _, x := range want {
			if got := heap.Pop(&h); got != x {
				t.Fatalf("Pop = %d, want %d", got, x)
			}
		}
		if len(h) != 0 {
			t.Fatalf("left over: %v", h)
		}
	}
}

func Example() {
	var h []appointment
	for _, x := range []appointment{5, 1, 3} {
		heap.Push(&h, x)
	}
	for len(h) > 0 {
		fmt.Println(heap.Pop(&h))
	}
	// Output:
	// 1
	// 3
	// 5
}
