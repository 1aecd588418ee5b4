package iforest

import (
	"math"
	"sync"
)

// Limits of the packed node.
const (
	maxFeatures = 1<<16 - 1 // feature number = width marks a leaf
	maxNodes    = 1<<16 - 1 // of one tree
	maxSamples  = 1 << 15   // rows of one tree, which keeps it below maxNodes
)

// Forest scores rows. It is immutable and safe for concurrent use. The zero
// value is not usable; see [Fit] and [Model.Forest].
type Forest struct {
	features int
	psi      int
	offset   float64
	norm     float64 // trees * c(psi), 0 for psi < 2

	trees  []packedTree
	nodes  []uint64
	leaves []leaf

	explain struct {
		once   sync.Once
		remain []float32 // per node: mean path length still to come
	}
}

// leaf is what a path earns that ends in a leaf of this depth and size.
type leaf struct {
	value   float64 // nodes visited + c(samples) - 1
	samples int32
}

// packedTree is a window of Forest.nodes.
type packedTree struct {
	nodes []uint64
	depth int // edges to the deepest leaf
}

// Packed node, from the high bits down:
//
//	32  key of the threshold rounded down to float32; in a leaf: index into leaves
//	16  column; in a leaf: number of columns, where rows hold the smallest key
//	16  left child within the tree, the right one follows; in a leaf: itself
//
// Going right is "threshold key < cell key"; in a leaf this never holds, so a
// walk of fixed length needs no branch at all. For a float32 cell x and any
// float64 threshold t, x <= t exactly if x <= t rounded down to float32.
func pack(key int32, column, left int) uint64 {
	return uint64(uint32(key))<<32 | uint64(column)<<16 | uint64(left)
}

// key maps a float32 to an integer of the same order; both zeros are one key.
// smallest is below the key of every number.
func key(x float32) int32 {
	b := int32(math.Float32bits(x + 0)) // -0 + 0 = +0
	return b ^ int32(uint32(b>>31)>>1)
}

const smallest = math.MinInt32

// floorKey is the key of the largest float32 that is at most t.
func floorKey(t float64) int32 {
	x := float32(t)
	if float64(x) > t {
		return key(x) - 1
	}
	return key(x)
}

// Forest packs the model for scoring. The model is validated and not retained.
func (m *Model) Forest() (*Forest, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	f := &Forest{
		features: m.Features,
		psi:      m.MaxSamples,
		offset:   m.Offset,
		norm:     float64(len(m.Trees)) * AveragePathLength(m.MaxSamples),
		trees:    make([]packedTree, len(m.Trees)),
	}
	total := 0
	for i := range m.Trees {
		total += len(m.Trees[i].Left)
	}
	f.nodes = make([]uint64, total)
	codes := make(map[[2]int32]int32)
	rest := f.nodes
	for i := range m.Trees {
		t := &m.Trees[i]
		n := len(t.Left)
		f.trees[i] = f.packTree(t, rest[:n:n], codes)
		rest = rest[n:]
	}
	return f, nil
}

// packTree fills nodes from t. codes finds the leaf entry of a depth and size.
func (f *Forest) packTree(t *Tree, nodes []uint64, codes map[[2]int32]int32) packedTree {
	type place struct{ from, to, depth int32 }
	deepest, used := int32(0), int32(1)
	stack := []place{{}}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		deepest = max(deepest, p.depth)
		if t.Left[p.from] == none {
			code := [2]int32{p.depth, t.Samples[p.from]}
			index, ok := codes[code]
			if !ok {
				index = int32(len(f.leaves))
				codes[code] = index
				visited := float64(p.depth + 1)
				f.leaves = append(f.leaves, leaf{
					value:   visited + AveragePathLength(int(code[1])) - 1,
					samples: code[1],
				})
			}
			nodes[p.to] = pack(index, f.features, int(p.to))
			continue
		}
		column := t.Feature[p.from]
		if t.Columns != nil {
			column = t.Columns[column]
		}
		nodes[p.to] = pack(floorKey(t.Threshold[p.from]), int(column), int(used))
		stack = append(stack,
			place{t.Right[p.from], used + 1, p.depth + 1},
			place{t.Left[p.from], used, p.depth + 1})
		used += 2
	}
	return packedTree{nodes: nodes, depth: int(deepest)}
}

// Features returns the number of cells a row must have.
func (f *Forest) Features() int { return f.features }

// Trees returns the number of trees.
func (f *Forest) Trees() int { return len(f.trees) }

// MaxSamples returns how many training rows each tree drew.
func (f *Forest) MaxSamples() int { return f.psi }

// Offset returns the score below which a row counts as an outlier: -0.5, or the
// contamination quantile of the training scores if a contamination was given.
func (f *Forest) Offset() float64 { return f.offset }

// Size returns the approximate number of bytes the forest occupies.
func (f *Forest) Size() int {
	return 8*len(f.nodes) + 32*len(f.trees) + 16*len(f.leaves)
}
