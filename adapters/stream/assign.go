package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// assign distributes the partitions over nodes: owners[p] is one of them. The same
// names in any order give the same answer. No node has more than Partitions/n,
// rounded up. Partition after partition goes to the node with the highest weight
// that still has room (rendezvous hashing: Thaler and Ravishankar 1998, with a bound),
// so a node that comes or goes moves little more than its own share.
func assign(nodes []string) []string {
	nodes = slices.Sorted(slices.Values(nodes))
	owners := make([]string, Partitions)
	if len(nodes) == 0 {
		return owners
	}
	most := (Partitions + len(nodes) - 1) / len(nodes)
	load := make([]int, len(nodes))
	for p := range owners {
		best, highest := -1, uint64(0)
		for i, node := range nodes {
			if load[i] < most {
				if w := weight(node, p); best < 0 || w > highest {
					best, highest = i, w
				}
			}
		}
		load[best]++
		owners[p] = nodes[best]
	}
	return owners
}

func weight(node string, partition int) uint64 {
	sum := sha256.Sum256(append([]byte(node), byte(partition)))
	return binary.BigEndian.Uint64(sum[:])
}
