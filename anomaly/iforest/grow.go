package iforest

import (
	"math"
	"math/bits"
	"slices"
)

// grower builds one tree after the other on reused scratch space. It repeats
// scikit-learn's random splitter with max_features = 1 (sklearn/tree/_splitter.pyx)
// inside its depth-first builder (sklearn/tree/_tree.pyx).
type grower struct {
	cells    []float32 // row-major table
	width    int       // columns of the table
	maxDepth int
	guided   uint32 // of 2^31 cuts, how many are guided

	columns [][]float32 // the tree's rows, one slice per drawn feature
	backing []float32
	rows    []uint32  // positions in columns, partitioned in place
	perm    []int32   // feature order, first entries constant in the node at hand
	fixed   []int32   // constant features, kept apart because perm is shuffled
	sorted  []float32 // scratch of bestCut
	random  uint32
	tree    Tree
}

// flat is the range below which a column counts as constant in a node.
const flat = float32(1e-7)

// depthLimit is ceil(log2(max(psi, 2))).
func depthLimit(psi int) int {
	return bits.Len(uint(max(psi, 2) - 1))
}

// grow returns the tree over the given rows (ascending, distinct) and features
// (in drawn order). seed starts the splitter.
func (g *grower) grow(rows, features []uint32, seed uint32) Tree {
	n, d := len(rows), len(features)
	if cap(g.backing) < n*d {
		g.backing = make([]float32, n*d)
	}
	g.backing = g.backing[:n*d]
	g.columns = g.columns[:0]
	for j := range d {
		g.columns = append(g.columns, g.backing[j*n:(j+1)*n:(j+1)*n])
	}
	for i, r := range rows {
		row := g.cells[int(r)*g.width : (int(r)+1)*g.width]
		for j, f := range features {
			g.columns[j][i] = row[f]
		}
	}
	g.rows = appendRange(g.rows[:0], n)
	g.perm, g.fixed = g.perm[:0], g.fixed[:0]
	for j := range d {
		g.perm = append(g.perm, int32(j))
		g.fixed = append(g.fixed, 0)
	}
	g.random = seed

	room := 2*n - 1
	if g.maxDepth < bits.Len(uint(n)) {
		room = min(room, 1<<(g.maxDepth+1)-1)
	}
	g.tree = Tree{
		Feature:   make([]int32, 0, room),
		Threshold: make([]float64, 0, room),
		Left:      make([]int32, 0, room),
		Right:     make([]int32, 0, room),
		Samples:   make([]int32, 0, room),
	}
	g.node(0, n, 0, 0)
	return g.tree
}

// node appends the subtree over g.rows[lo:hi] in pre-order and returns its root.
// known features at the front of fixed are constant there.
func (g *grower) node(lo, hi, depth, known int) int32 {
	id := g.tree.add(hi - lo)
	if depth >= g.maxDepth || hi-lo < 2 {
		return id
	}
	feature, threshold, found, ok := g.split(g.rows[lo:hi], known)
	if !ok {
		return id
	}
	at := lo + partition(g.rows[lo:hi], g.columns[feature], threshold)
	left := g.node(lo, at, depth+1, known+found)
	right := g.node(at, hi, depth+1, known+found)
	g.tree.Feature[id], g.tree.Threshold[id] = feature, threshold
	g.tree.Left[id], g.tree.Right[id] = left, right
	return id
}

// split chooses a feature that varies in rows, and where to cut it. found counts
// the features newly seen constant; they are stored behind the known ones.
func (g *grower) split(rows []uint32, known int) (feature int32, threshold float64, found int, ok bool) {
	perm := g.perm
	// Layout of perm while choosing: [0,drawn) known and set aside, [drawn,known)
	// known, [known,total) found here, [total,top) open, [top,d) taken.
	drawn, total, top := 0, known, len(perm)
	for visited := 0; top > total && visited <= found+drawn; {
		visited++
		j := drawn + int(g.draw()%uint32(top-found-drawn))
		if j < known {
			perm[drawn], perm[j] = perm[j], perm[drawn]
			drawn++
			continue
		}
		j += found
		candidate := perm[j]
		low, high := extent(rows, g.columns[candidate])
		if high <= low+flat {
			perm[j], perm[total] = perm[total], perm[j]
			found++
			total++
			continue
		}
		top--
		perm[top], perm[j] = perm[j], perm[top]
		feature, ok = candidate, true
		if g.guided > 0 && g.draw() < g.guided {
			threshold = g.bestCut(rows, g.columns[candidate])
			continue
		}
		threshold = (float64(high)-float64(low))*float64(g.draw())/math.MaxInt32 + float64(low)
		if threshold == float64(high) {
			threshold = float64(low)
		}
	}
	copy(perm[:known], g.fixed[:known])
	copy(g.fixed[known:total], perm[known:total])
	return feature, threshold, found, ok
}

// bestCut is the middle between the two neighbouring values of a column between which
// a cut leaves the least sum of squared deviations from the means of both sides, which
// is where sumL^2/nL + sumR^2/nR is greatest; the lower of equals. The column must vary.
func (g *grower) bestCut(rows []uint32, column []float32) float64 {
	g.sorted = g.sorted[:0]
	for _, r := range rows {
		g.sorted = append(g.sorted, column[r])
	}
	slices.Sort(g.sorted)
	// Distances from the mean, so that large values do not drown small differences.
	mean, n := 0.0, float64(len(g.sorted))
	for _, v := range g.sorted {
		mean += float64(v) / n
	}
	total := 0.0
	for _, v := range g.sorted {
		total += float64(v) - mean
	}
	best, cut, left := -1.0, 0.0, 0.0
	for i := 1; i < len(g.sorted); i++ {
		below, above := float64(g.sorted[i-1]), float64(g.sorted[i])
		left += below - mean
		if below == above {
			continue
		}
		k, right := float64(i), total-left
		if gain := float64(left*left)/k + float64(right*right)/(n-k); gain > best {
			best, cut = gain, below+(above-below)/2
		}
	}
	return cut
}

// draw returns 31 bits of xorshift32.
func (g *grower) draw() uint32 {
	x := g.random
	if x == 0 {
		x = 1
	}
	x ^= x << 13
	x ^= x >> 17
	x ^= x << 5
	g.random = x
	return x & math.MaxInt32
}

func extent(rows []uint32, column []float32) (low, high float32) {
	low = column[rows[0]]
	high = low
	for _, r := range rows[1:] {
		switch v := column[r]; {
		case v < low:
			low = v
		case v > high:
			high = v
		}
	}
	return low, high
}

// partition moves the rows whose cell is at most threshold to the front and
// returns their number. The order it leaves is part of scikit-learn's behaviour.
func partition(rows []uint32, column []float32, threshold float64) int {
	p, end := 0, len(rows)
	for p < end {
		if float64(column[rows[p]]) <= threshold {
			p++
			continue
		}
		end--
		rows[p], rows[end] = rows[end], rows[p]
	}
	return p
}
