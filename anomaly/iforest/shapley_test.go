package iforest_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// expectedPath is the mean path length of a row in a tree of which only the columns in
// known are seen: at a cut of another column both sides count by their training rows
// (Lundberg et al., "From local explanations to global understanding with explainable AI
// for trees", 2020, algorithm 1).
func expectedPath(tree *iforest.Tree, at int32, row []float64, known uint) float64 {
	left, right := tree.Left[at], tree.Right[at]
	if left < 0 {
		return iforest.AveragePathLength(int(tree.Samples[at]))
	}
	if known>>tree.Feature[at]&1 == 1 {
		if float64(float32(row[tree.Feature[at]])) <= tree.Threshold[at] {
			return 1 + expectedPath(tree, left, row, known)
		}
		return 1 + expectedPath(tree, right, row, known)
	}
	l, r := float64(tree.Samples[left]), float64(tree.Samples[right])
	return 1 + (l*expectedPath(tree, left, row, known)+r*expectedPath(tree, right, row, known))/(l+r)
}

// shapley is how much each column shortens the mean path of a row, by the definition:
// the mean over all orders in which columns become known.
func shapley(m *iforest.Model, row []float64) []float64 {
	d := m.Features
	length := make([]float64, 1<<d)
	for known := range length {
		for i := range m.Trees {
			length[known] += expectedPath(&m.Trees[i], 0, row, uint(known)) / float64(len(m.Trees))
		}
	}
	values := make([]float64, d)
	for j := range values {
		for known := range length {
			if known>>j&1 == 1 {
				continue
			}
			// |S|! (d-|S|-1)! / d!
			size := bits.OnesCount(uint(known))
			weight := math.Gamma(float64(size+1)) * math.Gamma(float64(d-size)) / math.Gamma(float64(d+1))
			values[j] += weight * (length[known] - length[known|1<<j])
		}
	}
	return values
}

func largest(x []float64) (at int) {
	for j := range x {
		if x[j] > x[at] {
			at = j
		}
	}
	return at
}

// The account of a path has the sum of the Shapley values, and blames the same column of
// a row that is odd in one; unlike them it costs no more than the path.
func TestAttributeBesideShapley(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, d := range []int{2, 3, 4} {
		rows := table(512, d)
		m, err := iforest.Grow(rows, &iforest.Options{Trees: 50})
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Forest()
		if err != nil {
			t.Fatal(err)
		}
		same, asked := 0, 100
		for range asked {
			odd := r.IntN(d)
			row := append([]float64(nil), rows[r.IntN(len(rows))]...)
			row[odd] += math.Copysign(8, r.Float64()-0.5)
			credit, want := make([]float64, d), shapley(m, row)
			if err := f.Attribute(credit, row); err != nil {
				t.Fatal(err)
			}
			sum, exact := 0.0, 0.0
			for j := range credit {
				sum, exact = sum+credit[j], exact+want[j]
			}
			if math.Abs(sum-exact) > 1e-5 { // a remaining length is kept as float32
				t.Fatalf("%d columns: credits %v sum to %v, Shapley values %v to %v", d, credit, sum, want, exact)
			}
			if largest(credit) == largest(want) && largest(want) == odd {
				same++
			}
		}
		t.Logf("%d columns: %d of %d rows blamed alike", d, same, asked)
		if same < asked*9/10 {
			t.Errorf("%d columns: the column blamed is that of the Shapley values and the odd one in %d of %d rows, want nine in ten", d, same, asked)
		}
	}
}
