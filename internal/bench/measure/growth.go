package measure

import "fmt"

// Growth pairs an input of ten and of a hundred times n items with as many inputs of n:
// the ratio is 1 if an item costs the same in each. It may cost two and a half times as
// much, as a sort takes twice as many steps for it and more of the data lies outside of
// the caches. What grows with the square costs ten and a hundred times as much. setup
// makes a function that does the work of n items.
func Growth(name, items string, n int, setup func(n int) (func(), error)) []Pair {
	var out []Pair
	for _, times := range []int{10, 100} {
		out = append(out, Pair{
			Name: fmt.Sprintf("%s_%dx", name, times), Peer: fmt.Sprintf("itself, %d x %d %s", times, n, items), Bar: 0.4, Ops: times * n,
			Setup: func() (func(), func(), error) {
				small, err := setup(n)
				if err != nil {
					return nil, nil, err
				}
				large, err := setup(times * n)
				return large, func() {
					for range times {
						small()
					}
				}, err
			},
		})
	}
	return out
}
