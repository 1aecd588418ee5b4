// Package heap keeps elements so that the earliest comes first: appointments, mostly.
// Package container/heap would put every element into an interface, which costs an
// allocation each, and asks for five methods. A heap is a slice whose first element is
// the earliest; adding and removing cost time logarithmic in its length. It grows to twice its
// length, which leaves less behind than what append does with long slices.
package heap

import "slices"

// Element is what a heap holds.
type Element[T any] interface {
	// Before reports whether the element comes before another one.
	Before(other T) bool
}

// Push adds an element.
func Push[T Element[T]](h *[]T, x T) {
	if len(*h) == cap(*h) {
		*h = slices.Grow(*h, max(len(*h), 4))
	}
	*h = append(*h, x)
	list := *h
	for n := len(list) - 1; n > 0; {
		parent := (n - 1) / 2
		if !list[n].Before(list[parent]) {
			break
		}
		list[n], list[parent] = list[parent], list[n]
		n = parent
	}
}

// Pop removes the earliest element and returns it. It panics if there is none.
func Pop[T Element[T]](h *[]T) T {
	list := *h
	first := list[0]
	last := len(list) - 1
	list[0] = list[last]
	var zero T
	list[last] = zero
	*h = list[:last]
	down(list[:last], 0)
	return first
}

// Init puts elements in any order into that of a heap.
func Init[T Element[T]](list []T) {
	for n := len(list)/2 - 1; n >= 0; n-- {
		down(list, n)
	}
}

func down[T Element[T]](list []T, n int) {
	for {
		child := 2*n + 1
		if child >= len(list) {
			return
		}
		if child+1 < len(list) && list[child+1].Before(list[child]) {
			child++
		}
		if !list[child].Before(list[n]) {
			return
		}
		list[n], list[child] = list[child], list[n]
		n = child
	}
}
