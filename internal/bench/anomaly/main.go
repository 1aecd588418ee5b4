// Command anomaly compares the isolation forest with others written in Go, 100 trees of
// 256 rows, 10 000 rows, 5 and 20 columns, and with scikit-learn; the quantile sketch
// with t-digests, for series that each find hard; templates of log lines with those of
// Drain. It times the streaming detectors.
package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	trees   = 100
	perTree = 256
	rows    = 10_000
	planted = 100 // outliers among the rows
)

func main() {
	var pairs []measure.Pair
	for _, p := range []peer{expert, narumiruna} {
		for _, d := range []int{5, 20} {
			pairs = append(pairs, scoreBatch(p, d))
		}
		pairs = append(pairs, scoreRow(p), fit(p))
	}
	pairs = append(pairs,
		goal("anomaly/score_batch_d5_goal", 1600*time.Nanosecond, rows, func(f *forests) func() { return f.ours.scoreAll }),
		goal("anomaly/score_row_d5_goal", 2200*time.Nanosecond, 1, func(f *forests) func() { return f.ours.scoreNext }),
		goal("anomaly/fit_legacy_d5_goal", 25*time.Millisecond, 1, func(f *forests) func() {
			return func() { must(iforest.Fit(f.ours.table, &iforest.Options{Trees: trees, MaxSamples: perTree})) }
		}),
	)
	measure.Main(slices.Concat(pairs, growths, sklearn(), sketchAdds(), logPairs(), streamUpdates()))
}

// growths are forests of more rows, and more rows scored. A forest draws as many rows for
// each tree, however many there are, so the cost of a row falls.
var growths = slices.Concat(
	measure.Growth("anomaly/fit", "rows", 1000, func(n int) (func(), error) {
		table := tableOf(n, 5)
		return func() { must(iforest.Fit(table, &iforest.Options{Trees: trees, MaxSamples: perTree})) }, nil
	}),
	measure.Growth("anomaly/score_batch", "rows", 1000, func(n int) (func(), error) {
		o, err := oursOf(n, 5)
		return o.scoreAll, err
	}),
)

// peer is another isolation forest.
type peer struct {
	// name and version for the output, suffix for the names of pairs.
	name, suffix string
	// train builds a forest over the table.
	train func(table [][]float64) forest
	// bars of batch, row and fit.
	batch, row, fit float64
}

// forest scores rows; a higher number means odder.
type forest interface {
	score(rows [][]float64) []float64
}

func scoreBatch(p peer, d int) measure.Pair {
	return measure.Pair{
		Name: fmt.Sprintf("anomaly/score_batch_d%d%s", d, p.suffix), Peer: p.name, Bar: p.batch, Ops: rows,
		Setup: func() (func(), func(), error) {
			f, err := newForests(p, d)
			if err != nil {
				return nil, nil, err
			}
			return f.ours.scoreAll, func() { f.theirs.score(f.ours.table) }, nil
		},
	}
}

func scoreRow(p peer) measure.Pair {
	return measure.Pair{
		Name: "anomaly/score_row_d5" + p.suffix, Peer: p.name, Bar: p.row,
		Setup: func() (func(), func(), error) {
			f, err := newForests(p, 5)
			if err != nil {
				return nil, nil, err
			}
			i := 0
			theirs := func() {
				f.theirs.score(f.ours.table[i : i+1])
				i = (i + 1) % rows
			}
			return f.ours.scoreNext, theirs, nil
		},
	}
}

// fit compares our own draws; scikit-learn's cost more and have their own line.
func fit(p peer) measure.Pair {
	return measure.Pair{
		Name: "anomaly/fit_d5" + p.suffix, Peer: p.name, Bar: p.fit,
		Setup: func() (func(), func(), error) {
			f, err := newForests(p, 5)
			if err != nil {
				return nil, nil, err
			}
			table := f.ours.table
			o := &iforest.Options{Trees: trees, MaxSamples: perTree, Draws: iforest.FastDraws}
			return func() { must(iforest.Fit(table, o)) }, func() { p.train(table) }, nil
		},
	}
}

func goal(name string, figure time.Duration, ops int, what func(*forests) func()) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "goal", Bar: 0.7, Ops: ops, Goal: figure,
		Setup: func() (func(), func(), error) {
			ours, err := newOurs(5)
			if err != nil {
				return nil, nil, err
			}
			return what(&forests{ours: ours}), nil, nil
		},
	}
}

// forests are both sides on the same table.
type forests struct {
	ours   *ours
	theirs forest
}

// newForests trains both sides and checks that each ranks the planted outliers
// before the rest.
func newForests(p peer, d int) (*forests, error) {
	o, err := newOurs(d)
	if err != nil {
		return nil, err
	}
	f := &forests{ours: o, theirs: p.train(o.table)}
	return f, checkRanking(p.name, f.theirs.score(o.table))
}

type ours struct {
	table  [][]float64
	forest *iforest.Forest
	scores []float64
	next   int
}

// newOurs trains a forest and checks how it ranks.
func newOurs(d int) (*ours, error) {
	o, err := oursOf(rows, d)
	if err != nil {
		return nil, err
	}
	o.scoreAll()
	odd := make([]float64, rows)
	for i, s := range o.scores {
		odd[i] = -s
	}
	return o, checkRanking("evenkeel", odd)
}

func oursOf(n, d int) (*ours, error) {
	o := &ours{table: tableOf(n, d), scores: make([]float64, n)}
	var err error
	o.forest, err = iforest.Fit(o.table, &iforest.Options{Trees: trees, MaxSamples: perTree})
	return o, err
}

// tableOf makes n rows of d columns, of which the first are the planted outliers.
func tableOf(n, d int) [][]float64 {
	r := rand.New(rand.NewPCG(1, uint64(d)))
	table := make([][]float64, n)
	for i := range table {
		table[i] = make([]float64, d)
		for j := range table[i] {
			table[i][j] = r.NormFloat64()
			if i < planted {
				table[i][j] *= 4
			}
		}
	}
	return table
}

// scoreAll scores all rows in one batch.
func (o *ours) scoreAll() {
	if err := o.forest.ScoreBatch(o.scores, o.table); err != nil {
		panic(err) // the table has been scored before
	}
}

// scoreNext scores one row, the next of all.
func (o *ours) scoreNext() {
	must(o.forest.Score(o.table[o.next]))
	o.next = (o.next + 1) % rows
}

// checkRanking wants an area of at least 0.95 under the ROC curve: the chance
// that a planted row ranks above another.
func checkRanking(name string, odd []float64) error {
	if len(odd) != rows {
		return fmt.Errorf("%s scores %d rows, want %d", name, len(odd), rows)
	}
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case odd[a] < odd[b]:
			return -1
		case odd[a] > odd[b]:
			return 1
		}
		return a - b // a tie counts against the outlier
	})
	below, pairs := 0, 0
	for _, i := range order {
		if i < planted {
			pairs += below
		} else {
			below++
		}
	}
	if area := float64(pairs) / (planted * (rows - planted)); area < 0.95 {
		return fmt.Errorf("%s ranks planted outliers with an area under the curve of %.3f, want at least 0.95", name, area)
	}
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
