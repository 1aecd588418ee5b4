package iforest

import (
	"math"
	"sync"
)

// narrow is the largest number of cells, the leaf cell included, for which rows
// are kept in fixed-size arrays: masking the column by narrow-1 then proves to
// the compiler that it is in range.
const narrow = 64

// block is the number of rows walked through a tree while it is in the cache.
const block = 64

// lanes is the number of independent walks in flight, which hides their latency.
const lanes = 8

type narrowRow = [narrow]int32

// scratch is reused between calls; a Forest itself holds no mutable state.
type scratch struct {
	rows [block]narrowRow
	sums [block]float64
	wide []int32
}

// cells returns room for the keys of one row of any width.
func (s *scratch) cells(n int) []int32 {
	if cap(s.wide) < n {
		s.wide = make([]int32, n)
	}
	return s.wide[:n]
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Score returns scikit-learn's score_samples of one row,
//
//	-2^(-E / c(psi))
//
// where E is the mean path length over the trees and c is [AveragePathLength]:
// a number in [-1, 0), lower for odder rows, -0.5 for a row whose paths have
// average length. It does not allocate. A row of another width is a [*RowError],
// a cell that is not finite as a float32 a [*ValueError].
func (f *Forest) Score(row []float64) (float64, error) {
	if len(row) != f.features {
		return 0, &RowError{Value: len(row), Want: f.features}
	}
	if f.features < narrow {
		var cells narrowRow
		if bad := convert(cells[:len(row)+1], row); bad >= 0 {
			return 0, &ValueError{Column: bad, Value: row[bad]}
		}
		return f.finish(f.walkNarrow(&cells)), nil
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	sum, err := f.sumWide(s, row)
	if err != nil {
		return 0, err
	}
	return f.finish(sum), nil
}

// Decision returns the score minus the offset: negative for an outlier.
func (f *Forest) Decision(row []float64) (float64, error) {
	s, err := f.Score(row)
	return s - f.offset, err
}

// ScoreBatch stores the score of every row in dst, which must be as long as
// rows; each equals what [Forest.Score] returns for that row. It does not
// allocate and runs on the calling goroutine: split large batches to use more
// processors. On an error the contents of dst are unspecified.
func (f *Forest) ScoreBatch(dst []float64, rows [][]float64) error {
	if len(dst) != len(rows) {
		return &OptionError{Option: "dst", Value: len(dst), Want: "as many entries as there are rows"}
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for start := 0; start < len(rows); start += block {
		end := min(start+block, len(rows))
		var err error
		if f.features < narrow {
			err = f.scoreBlock(s, dst[start:end], rows[start:end], start)
		} else {
			err = f.scoreWide(s, dst[start:end], rows[start:end], start)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish turns a sum of path lengths into a score.
func (f *Forest) finish(sum float64) float64 {
	x := 1.0
	if f.norm != 0 {
		x = sum / f.norm
	}
	return -math.Exp2(-x)
}

// convert stores the keys of row in cells and the leaf cell behind them. It
// returns the first column that is not a finite float32, or -1.
func convert(cells []int32, row []float64) int {
	const infinite = 0x7f800000
	cells[len(row)] = smallest
	cells = cells[:len(row)]
	var odd uint32
	for j, v := range row {
		x := float32(v)
		cells[j] = key(x)
		// Only exponents of all ones carry into bit 31.
		odd |= math.Float32bits(x)&infinite + (1 << 23)
	}
	if odd>>31 == 0 {
		return -1
	}
	for j, v := range row {
		if !finite(float64(float32(v))) {
			return j
		}
	}
	return -1
}

// step follows one edge from node n of a tree, given the keys of a row.
func step(nodes []uint64, n uint64, cells *narrowRow) uint64 {
	x := int64(cells[n>>16&(narrow-1)])
	return nodes[n&0xffff+uint64(int64(n)>>32-x)>>63]
}

// walkNarrow sums the path lengths of one row over all trees, in tree order.
func (f *Forest) walkNarrow(cells *narrowRow) float64 {
	sum := 0.0
	trees, leaves := f.trees, f.leaves
	for ; len(trees) >= 8; trees = trees[8:] {
		t0, t1, t2, t3, t4, t5, t6, t7 := trees[0].nodes, trees[1].nodes, trees[2].nodes, trees[3].nodes, trees[4].nodes, trees[5].nodes, trees[6].nodes, trees[7].nodes
		n0, n1, n2, n3, n4, n5, n6, n7 := t0[0], t1[0], t2[0], t3[0], t4[0], t5[0], t6[0], t7[0]
		depth := max(trees[0].depth, trees[1].depth, trees[2].depth, trees[3].depth, trees[4].depth, trees[5].depth, trees[6].depth, trees[7].depth)
		for range depth {
			n0 = step(t0, n0, cells)
			n1 = step(t1, n1, cells)
			n2 = step(t2, n2, cells)
			n3 = step(t3, n3, cells)
			n4 = step(t4, n4, cells)
			n5 = step(t5, n5, cells)
			n6 = step(t6, n6, cells)
			n7 = step(t7, n7, cells)
		}
		sum += leaves[n0>>32].value
		sum += leaves[n1>>32].value
		sum += leaves[n2>>32].value
		sum += leaves[n3>>32].value
		sum += leaves[n4>>32].value
		sum += leaves[n5>>32].value
		sum += leaves[n6>>32].value
		sum += leaves[n7>>32].value
	}
	for _, t := range trees {
		n := t.nodes[0]
		for range t.depth {
			n = step(t.nodes, n, cells)
		}
		sum += leaves[n>>32].value
	}
	return sum
}

// scoreBlock scores up to block rows; first is the number of the first one.
func (f *Forest) scoreBlock(s *scratch, dst []float64, rows [][]float64, first int) error {
	for i, row := range rows {
		if len(row) != f.features {
			return &RowError{Row: first + i, Value: len(row), Want: f.features}
		}
		if bad := convert(s.rows[i][:len(row)+1], row); bad >= 0 {
			return &ValueError{Row: first + i, Column: bad, Value: row[bad]}
		}
	}
	// The last group may run over stale rows; the leaf cell keeps them in bounds
	// and their sums are not read.
	full := (len(rows) + lanes - 1) / lanes * lanes
	for i := len(rows); i < full; i++ {
		s.rows[i][f.features] = smallest
	}
	sums := s.sums[:full]
	clear(sums)
	for i := range f.trees {
		f.walkBlock(&f.trees[i], s, full)
	}
	for i := range dst {
		dst[i] = f.finish(sums[i])
	}
	return nil
}

// walkBlock adds one tree's path lengths of the first full rows to s.sums.
func (f *Forest) walkBlock(t *packedTree, s *scratch, full int) {
	nodes, leaves := t.nodes, f.leaves
	root := nodes[0]
	for r := 0; r < full; r += lanes {
		rows := (*[lanes]narrowRow)(s.rows[r:])
		sums := (*[lanes]float64)(s.sums[r:])
		n0, n1, n2, n3, n4, n5, n6, n7 := root, root, root, root, root, root, root, root
		for range t.depth {
			n0 = step(nodes, n0, &rows[0])
			n1 = step(nodes, n1, &rows[1])
			n2 = step(nodes, n2, &rows[2])
			n3 = step(nodes, n3, &rows[3])
			n4 = step(nodes, n4, &rows[4])
			n5 = step(nodes, n5, &rows[5])
			n6 = step(nodes, n6, &rows[6])
			n7 = step(nodes, n7, &rows[7])
		}
		sums[0] += leaves[n0>>32].value
		sums[1] += leaves[n1>>32].value
		sums[2] += leaves[n2>>32].value
		sums[3] += leaves[n3>>32].value
		sums[4] += leaves[n4>>32].value
		sums[5] += leaves[n5>>32].value
		sums[6] += leaves[n6>>32].value
		sums[7] += leaves[n7>>32].value
	}
}

// scoreWide is scoreBlock for rows that do not fit a narrowRow.
func (f *Forest) scoreWide(s *scratch, dst []float64, rows [][]float64, first int) error {
	for i, row := range rows {
		if len(row) != f.features {
			return &RowError{Row: first + i, Value: len(row), Want: f.features}
		}
		sum, err := f.sumWide(s, row)
		if err != nil {
			err.Row = first + i
			return err
		}
		dst[i] = f.finish(sum)
	}
	return nil
}

// sumWide is the sum over trees for a row of any width.
func (f *Forest) sumWide(s *scratch, row []float64) (float64, *ValueError) {
	cells := s.cells(len(row) + 1)
	if bad := convert(cells, row); bad >= 0 {
		return 0, &ValueError{Column: bad, Value: row[bad]}
	}
	return f.walkWide(cells), nil
}

// stepWide is step for a row of any width.
func stepWide(nodes []uint64, n uint64, cells []int32) uint64 {
	x := int64(cells[n>>16&0xffff])
	return nodes[n&0xffff+uint64(int64(n)>>32-x)>>63]
}

// walkWide is walkNarrow for a row of any width.
func (f *Forest) walkWide(cells []int32) float64 {
	sum := 0.0
	trees, leaves := f.trees, f.leaves
	for ; len(trees) >= 4; trees = trees[4:] {
		t0, t1, t2, t3 := trees[0].nodes, trees[1].nodes, trees[2].nodes, trees[3].nodes
		n0, n1, n2, n3 := t0[0], t1[0], t2[0], t3[0]
		depth := max(trees[0].depth, trees[1].depth, trees[2].depth, trees[3].depth)
		for range depth {
			n0 = stepWide(t0, n0, cells)
			n1 = stepWide(t1, n1, cells)
			n2 = stepWide(t2, n2, cells)
			n3 = stepWide(t3, n3, cells)
		}
		sum += leaves[n0>>32].value
		sum += leaves[n1>>32].value
		sum += leaves[n2>>32].value
		sum += leaves[n3>>32].value
	}
	for _, t := range trees {
		n := t.nodes[0]
		for range t.depth {
			n = stepWide(t.nodes, n, cells)
		}
		sum += leaves[n>>32].value
	}
	return sum
}
