package stream

import (
	"fmt"
	"slices"
	"testing"
)

func TestAssign(t *testing.T) {
	var nodes []string
	before := assign(nil)
	for n := 1; n <= 9; n++ {
		nodes = append(nodes, fmt.Sprint("node-", n))
		reversed := slices.Clone(nodes)
		slices.Reverse(reversed)
		owners := assign(nodes)
		if !slices.Equal(owners, assign(reversed)) {
			t.Errorf("%d nodes in another order give another answer", n)
		}
		load, moved := map[string]int{}, 0
		for p, owner := range owners {
			load[owner]++
			if owner != before[p] {
				moved++
			}
		}
		for _, node := range nodes {
			if most := (Partitions + n - 1) / n; load[node] > most || load[node] < Partitions-most*(n-1) {
				t.Errorf("one of %d nodes has %d partitions, want at most %d", n, load[node], most)
			}
		}
		// The share of the new node has to move; half of the rest may.
		if share := Partitions / n; n > 1 && moved > share+(Partitions-share)/2 {
			t.Errorf("node %d moves %d partitions, want little more than its share %d", n, moved, share)
		}
		before = owners
	}
}
