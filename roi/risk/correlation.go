package risk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

// Correlation ties two drawn inputs to each other. Pairs that are not named are
// independent.
type Correlation struct {
	A string `json:"a"`
	B string `json:"b"`
	// Rank is the rank correlation (Spearman's rho), above -1 and below 1.
	Rank float64 `json:"rank"`
}

// A copula ties columns of draws to each other without changing what is in them:
// each column is put into the order of a Gaussian variable, and the Gaussian
// variables are correlated (Iman and Conover, Communications in Statistics B 11,
// 1982, with random instead of fixed scores). Distributions of any form keep
// theirs, truncated and discrete ones too.
type copula struct {
	columns []int       // of the inputs that are tied to any
	lower   [][]float64 // lower triangle of the Cholesky factor
	normal  sample.Dist
}

// pivot is the least square of a diagonal element of the factor. Below it a
// variable is, to rounding, a sum of others.
const pivot = 1e-10

// newCopula turns rank correlations into those of Gaussian variables,
//
//	ρ = 2 sin(π/6 · rank)
//
// (Pearson, On further methods of determining correlation, 1907), and factors
// their matrix. The result is nil if there are none.
func newCopula(list []Correlation, paths []string, resolve func(string) (string, error)) (*copula, error) {
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // no copula is no dependence
	}
	type pair struct{ a, b int }
	wanted := map[pair]float64{}
	c := &copula{}
	for i, tie := range list {
		at := "options.correlations[" + strconv.Itoa(i) + "]"
		var index [2]int
		for j, name := range []string{tie.A, tie.B} {
			path, err := resolve(name)
			if err != nil {
				path = ""
			}
			if index[j] = slices.Index(paths, path); index[j] < 0 {
				return nil, &InputError{Path: at + []string{".a", ".b"}[j], Value: name, Want: "an input that is drawn", Err: err}
			}
		}
		p := pair{min(index[0], index[1]), max(index[0], index[1])}
		switch _, twice := wanted[p]; {
		case p.a == p.b:
			return nil, &InputError{Path: at + ".b", Value: tie.B, Want: "another input than a"}
		case twice:
			return nil, &InputError{Path: at, Value: tie.A + ", " + tie.B, Want: "each pair once"}
		case !(tie.Rank > -1 && tie.Rank < 1):
			return nil, &InputError{Path: at + ".rank", Value: number(tie.Rank), Want: "a number above -1 and below 1", Err: ErrNotPositiveDefinite}
		}
		wanted[p] = 2 * math.Sin(math.Pi/6*tie.Rank)
		c.columns = append(c.columns, p.a, p.b)
	}
	slices.Sort(c.columns)
	c.columns = slices.Compact(c.columns)
	for i, a := range c.columns {
		row := make([]float64, i+1)
		for j, b := range c.columns[:i] {
			sum := wanted[pair{b, a}]
			for k := range j {
				sum -= row[k] * c.lower[j][k]
			}
			row[j] = sum / c.lower[j][j]
		}
		rest := 1.0
		for _, v := range row[:i] {
			rest -= v * v
		}
		if !(rest > pivot) {
			return nil, &InputError{
				Path: "options.correlations", Value: paths[a],
				Want: "rank correlations that an input can have with all others at once", Err: ErrNotPositiveDefinite,
			}
		}
		row[i] = math.Sqrt(rest)
		c.lower = append(c.lower, row)
	}
	var err error
	if c.normal, err = sample.Normal(0, 1); err != nil {
		return nil, fmt.Errorf("scores of the copula: %w", err)
	}
	return c, nil
}

// ties is the working memory of a copula.
type ties struct {
	scores [][]float64
	sorted []float64
	order  []placed
}

// apply puts the columns into the order of correlated scores.
func (c *copula) apply(columns [][]float64, t *ties, src *rand.PCG) {
	n := len(columns[0])
	if t.scores == nil {
		t.scores = make([][]float64, len(c.columns))
		for i := range t.scores {
			t.scores[i] = make([]float64, n)
		}
	}
	for r := range n {
		for i := range c.columns {
			t.scores[i][r], _ = c.normal.Draw(src) // no bounds, no error
		}
		for i, row := range slices.Backward(c.lower) { // those before are still independent
			sum := 0.0
			for j, l := range row {
				sum += float64(l * t.scores[j][r])
			}
			t.scores[i][r] = sum
		}
	}
	for i, at := range c.columns {
		scores, column := t.scores[i], columns[at]
		t.order = sorted(t.order[:0], scores)
		t.sorted = append(t.sorted[:0], column...)
		slices.Sort(t.sorted)
		for rank, p := range t.order {
			column[p.at] = t.sorted[rank]
		}
	}
}

// placed is a value and where it stands.
type placed struct {
	value float64
	at    int
}

// sorted appends the values of a column in ascending order, equal ones by place.
func sorted(to []placed, x []float64) []placed {
	for i, v := range x {
		to = append(to, placed{v, i})
	}
	slices.SortFunc(to, func(a, b placed) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return a.at - b.at
	})
	return to
}

// spearman is the correlation of two columns of ranks; nil where one of them does
// not vary (Spearman, American Journal of Psychology 15, 1904).
func spearman(ra, rb []float64) *float64 {
	mean := float64(len(ra)+1) / 2
	var ab, aa, bb float64
	for i := range ra {
		x, y := ra[i]-mean, rb[i]-mean
		ab += float64(x * y)
		aa += float64(x * x)
		bb += float64(y * y)
	}
	if aa == 0 || bb == 0 {
		return nil
	}
	rho := ab / math.Sqrt(aa*bb)
	return &rho
}

// ranks counts from 1. Equal values share the mean of their ranks.
func ranks(x []float64) []float64 {
	order := sorted(make([]placed, 0, len(x)), x)
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && order[j].value == order[i].value {
			j++
		}
		for _, p := range order[i:j] {
			out[p.at] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}
