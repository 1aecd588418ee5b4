package iforest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/frame"
)

const (
	binaryMagic   = "EKIF"
	binaryVersion = 1
)

// AppendBinary adds the forest in the binary form of version 1, which [ParseForest] reads:
// a frame of magic "EKIF", version, length and CRC-32C around
//
//	columns, rows per tree   4 bytes each
//	offset                   8 bytes
//	trees, leaf values       4 bytes each, how many
//	leaf values              8 bytes of path length, 4 of rows, each
//	per tree                 4 bytes, how many nodes; 8 bytes per node
//
// in little-endian order. Thresholds are those of scoring, rounded down to float32, so scores
// are the same to the last bit. The error is always nil.
func (f *Forest) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	p := make([]byte, 0, 32+8*len(f.nodes)+4*len(f.trees)+12*len(f.leaves))
	p = le.AppendUint32(p, uint32(f.features))
	p = le.AppendUint32(p, uint32(f.psi))
	p = le.AppendUint64(p, math.Float64bits(f.offset))
	p = le.AppendUint32(p, uint32(len(f.trees)))
	p = le.AppendUint32(p, uint32(len(f.leaves)))
	for _, l := range f.leaves {
		p = le.AppendUint64(p, math.Float64bits(l.value))
		p = le.AppendUint32(p, uint32(l.samples))
	}
	for _, t := range f.trees {
		p = le.AppendUint32(p, uint32(len(t.nodes)))
		for _, n := range t.nodes {
			p = le.AppendUint64(p, n)
		}
	}
	return frame.Append(b, binaryMagic, binaryVersion, p), nil
}

// MarshalBinary implements [encoding.BinaryMarshaler]; see [Forest.AppendBinary].
func (f *Forest) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// ParseForest reads what [Forest.AppendBinary] wrote. It checks everything that scoring
// relies on and takes memory in proportion to data. Errors are of type [*FormatError].
func ParseForest(data []byte) (*Forest, error) {
	_, payload, err := frame.Open(data, binaryMagic, binaryVersion)
	if err != nil {
		problem := &FormatError{Path: "binary", Problem: err.Error()}
		if e, ok := errors.AsType[*frame.Error](err); ok {
			problem.Path = fmt.Sprintf("binary[%d]", e.Offset)
			problem.Problem = e.Problem
		}
		return nil, problem
	}
	r := reader{rest: payload}
	f := &Forest{features: r.count(maxFeatures), psi: r.count(math.MaxInt32), offset: math.Float64frombits(r.uint64())}
	trees, leaves := r.count(len(r.rest)/12), r.count(len(r.rest)/12)
	switch {
	case r.short:
		return nil, formatErrorf("binary", "ends early or has a number too large for its length")
	case f.features < 1:
		return nil, formatErrorf("columns", "is %d, want at least 1", f.features)
	case f.psi < 1:
		return nil, formatErrorf("max_samples", "is %d, want at least 1", f.psi)
	case !finite(f.offset):
		return nil, formatErrorf("offset", "is %v, want a finite number", f.offset)
	case trees < 1:
		return nil, formatErrorf("trees", "is empty, want at least one tree")
	}
	f.norm = float64(trees) * AveragePathLength(f.psi)
	f.leaves = make([]leaf, leaves)
	for i := range f.leaves {
		l := leaf{value: math.Float64frombits(r.uint64()), samples: int32(r.count(math.MaxInt32))}
		if !finite(l.value) || l.samples < 1 {
			return nil, formatErrorf(fmt.Sprintf("leaves[%d]", i), "is %v of %d rows, want a finite length of at least one row", l.value, l.samples)
		}
		f.leaves[i] = l
	}
	f.trees = make([]packedTree, trees)
	f.nodes = make([]uint64, 0, len(r.rest)/8)
	for i := range f.trees {
		n := r.count(min(maxNodes, len(r.rest)/8))
		if r.short || n == 0 {
			return nil, formatErrorf(fmt.Sprintf("trees[%d]", i), "ends early, has no node or too many")
		}
		start := len(f.nodes)
		for range n {
			f.nodes = append(f.nodes, r.uint64())
		}
		t := packedTree{nodes: f.nodes[start:len(f.nodes):len(f.nodes)]}
		if err := t.check(fmt.Sprintf("trees[%d]", i), f.features, leaves); err != nil {
			return nil, err
		}
		f.trees[i] = t
	}
	if r.short || len(r.rest) > 0 {
		return nil, formatErrorf("binary", "has %d bytes after the last tree, want none", len(r.rest))
	}
	return f, nil
}

// check verifies that walks stay within the tree and end, and finds its depth.
func (t *packedTree) check(path string, features, leaves int) error {
	depth := make([]int, len(t.nodes)) // 0 but for the root: no parent yet
	for i, n := range t.nodes {
		column, left := int(n>>16&0xffff), int(n&0xffff)
		at := func() string { return fmt.Sprintf("%s.nodes[%d]", path, i) }
		switch {
		case i > 0 && depth[i] == 0:
			return formatErrorf(at(), "is no child of an earlier node")
		case column == features && (left != i || int(n>>32) >= leaves):
			return formatErrorf(at(), "is a leaf with value %d and child %d, want one of %d values and itself", n>>32, left, leaves)
		case column == features:
			t.depth = max(t.depth, depth[i])
			continue
		case column > features:
			return formatErrorf(at(), "cuts column %d, want 0 to %d", column, features-1)
		case left <= i || left+1 >= len(t.nodes):
			return formatErrorf(at(), "has the child %d, want a later node up to %d", left, len(t.nodes)-2)
		case depth[left] != 0 || depth[left+1] != 0:
			return formatErrorf(at(), "has the child %d, a node that has a parent already", left)
		}
		depth[left], depth[left+1] = depth[i]+1, depth[i]+1
	}
	return nil
}

// reader takes numbers off a payload; after its end they are 0 and short is set.
type reader struct {
	rest  []byte
	short bool
}

// uint64 takes 8 bytes.
func (r *reader) uint64() uint64 {
	if len(r.rest) < 8 {
		r.short, r.rest = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return v
}

// count takes 4 bytes, a number of at most most.
func (r *reader) count(most int) int {
	if len(r.rest) < 4 {
		r.short, r.rest = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	if uint64(v) > uint64(max(most, 0)) {
		r.short = true
		return 0
	}
	return int(v)
}
