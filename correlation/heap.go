package correlation

// earlier is an element of a heap.
type earlier[T any] interface {
	before(T) bool
}

// heapPush adds an element. Package container/heap would put every element
// into an interface, which costs an allocation each.
func heapPush[T earlier[T]](h *[]T, x T) {
	*h = append(*h, x)
	list := *h
	for n := len(list) - 1; n > 0; {
		parent := (n - 1) / 2
		if !list[n].before(list[parent]) {
			break
		}
		list[n], list[parent] = list[parent], list[n]
		n = parent
	}
}

// heapPop removes the earliest element.
func heapPop[T earlier[T]](h *[]T) T {
	list := *h
	first := list[0]
	last := len(list) - 1
	list[0] = list[last]
	var zero T
	list[last] = zero
	*h = list[:last]
	heapDown(list[:last], 0)
	return first
}

// heapInit puts elements in any order into that of a heap.
func heapInit[T earlier[T]](list []T) {
	for n := len(list)/2 - 1; n >= 0; n-- {
		heapDown(list, n)
	}
}

func heapDown[T earlier[T]](list []T, n int) {
	for {
		child := 2*n + 1
		if child >= len(list) {
			return
		}
		if child+1 < len(list) && list[child+1].before(list[child]) {
			child++
		}
		if !list[child].before(list[n]) {
			return
		}
		list[n], list[child] = list[child], list[n]
		n = child
	}
}
