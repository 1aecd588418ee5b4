package anomaly

import (
	"fmt"
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

const (
	// minRows is the shortest history that Default learns from.
	minRows = 8
	// folds of the cross-fit: every value is judged by tails that have not seen it.
	folds = 5
	// forestWeight is the forest's part of the error budget; the tails share the
	// rest equally. With halves two single-metric outages of nine are lost.
	forestWeight = 0.2
)

// calibrated is the Default side of a Detector.
//
// Its statistic joins the p-values of the components; by default it is a weighted
// minimum, t = max over the components of ln w - ln p, where the weights w sum to 1: without calibration P(t >= x) <=
// exp(-x) whatever the dependence between the components (weighted Bonferroni).
// The distribution of t over the history, each row judged by trees and tails that
// have not seen it, then makes the rate of false alarms what it should be, not
// just at most that.
type calibrated struct {
	forest    *iforest.Forest
	oddness   column // of minus the forest's scores of rows it has not seen
	logWeight float64
	statistic column // of t over the history
	logAlpha  float64
	sides     []Side // per feature
	way       Combine
}

// fitCalibrated learns from columns in which NaN is a missing value and seasons are taken
// out. Their distributions are given.
func fitCalibrated(schema Schema, columns [][]float64, whole []column, o *resolvedOptions) (*calibrated, error) {
	c := &calibrated{logAlpha: math.Log(o.alpha), way: o.combine}
	c.watch(schema, whole)

	rows := scaleRows(columns, whole)
	n := len(rows)
	// Half of a short history per tree leaves every row some trees that have not
	// seen it.
	forest, scores, err := iforest.FitOutOfBag(rows, &iforest.Options{
		Trees: o.trees, MaxSamples: min(256, n/2), Seed: o.seed, Draws: iforest.FastDraws, Workers: o.workers,
	})
	if err != nil {
		return nil, fmt.Errorf("anomaly: %w", err)
	}
	c.forest = forest
	oddness := make([]float64, n)
	for i, s := range scores {
		if math.IsNaN(s) { // drawn by every tree, as happens with very few
			if s, err = forest.Score(rows[i]); err != nil {
				return nil, fmt.Errorf("anomaly: %w", err)
			}
		}
		oddness[i] = oddnessOf(s)
	}
	c.oddness = newColumn(slices.Sorted(slices.Values(oddness)), nil)

	found := make([]evidence, n)
	for i := range found {
		found[i].add(c.way, c.oddness.logPLeftOut(High, oddness[i], &c.oddness), math.Log(forestWeight), false)
	}
	for j, all := range columns {
		for k := range folds {
			tails := withoutFold(all, k, &whole[j], &schema[j])
			for i := k; i < n; i += folds {
				if !math.IsNaN(all[i]) {
					found[i].add(c.way, whole[j].logPLeftOut(c.sides[j], all[i], tails), c.logWeight, c.sides[j] == Both)
				}
			}
		}
	}
	statistic := make([]float64, n)
	for i := range found {
		statistic[i] = found[i].statistic(c.way)
	}
	slices.Sort(statistic)
	c.statistic = newColumn(statistic, nil)
	return c, nil
}

// watch decides which sides count and what a tail weighs.
func (c *calibrated) watch(schema Schema, whole []column) {
	tails := 0
	for j, f := range schema {
		side := f.Harm
		if constant(&whole[j]) {
			side = Both // any other value is news
		}
		c.sides = append(c.sides, side)
		tails++
		if side == Both {
			tails++
		}
	}
	c.logWeight = math.Log((1 - forestWeight) / float64(tails))
}

// withoutFold fits a column to all rows but every folds-th from k on; if that
// leaves nothing, it is the whole column.
func withoutFold(all []float64, k int, whole *column, f *Feature) *column {
	values := make([]float64, 0, len(all))
	for i, v := range all {
		if i%folds != k && !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return whole
	}
	slices.Sort(values)
	c := newColumn(values, f)
	return &c
}

// oddnessOf turns a score upside down. Its last digits depend on the number of
// trees averaged over and must not tell equal rows apart.
func oddnessOf(score float64) float64 { return math.Round(-score*1e9) / 1e9 }

// judge evaluates the components on one row, given what the forest found. It stores ln p of
// every feature in logP, NaN for a missing value, and returns ln p of the forest and the
// statistic.
func (c *calibrated) judge(logP []float64, columns []column, row []float64, oddness float64) (forest, t float64) {
	var found evidence
	forest = c.oddness.logP(High, oddness)
	found.add(c.way, forest, math.Log(forestWeight), false)
	for j, v := range row {
		logP[j] = math.NaN()
		if math.IsNaN(v) {
			continue
		}
		logP[j] = columns[j].logP(c.sides[j], v)
		found.add(c.way, logP[j], c.logWeight, c.sides[j] == Both)
	}
	return forest, found.statistic(c.way)
}

// alone is ln p of one tail with nothing else odd.
func (c *calibrated) alone(j int, logP float64) float64 {
	switch {
	case c.way == CombineMinP:
		return c.calibrate(c.logWeight - logP)
	case c.sides[j] == Both:
		return min(0, logP+math.Ln2)
	}
	return logP
}

// excess is by how much a tail exceeds what is expected of it, in logarithms.
func (c *calibrated) excess(logP float64) float64 {
	if c.way == CombineMinP {
		return max(0, c.logWeight-logP)
	}
	return max(0, -1-logP) // the mean of -ln p is 1
}

// calibrate returns ln of the probability of a statistic of at least t.
func (c *calibrated) calibrate(t float64) float64 { return c.statistic.logP(High, t) }

// constant reports whether the history holds a single value.
func constant(c *column) bool { return c.knots[0] == c.knots[len(c.knots)-1] }

// scaleRows turns columns into rows for the forest.
func scaleRows(columns [][]float64, as []column) [][]float64 {
	rows := make([][]float64, len(columns[0]))
	row := make([]float64, len(columns))
	for i := range rows {
		for j := range columns {
			row[j] = columns[j][i]
		}
		rows[i] = make([]float64, len(columns))
		scaleRow(rows[i], row, as)
	}
	return rows
}

// scaleRow prepares a row for the forest, whose float32 cells would lose a small
// change of a large value. A missing value becomes the median, where it speaks
// neither way.
func scaleRow(dst, row []float64, columns []column) {
	const huge = 1e30 // keeps within float32 what is beyond every cut anyway
	for j, v := range row {
		dst[j] = 0
		if !math.IsNaN(v) {
			dst[j] = min(max(columns[j].robustZ(v), -huge), huge)
		}
	}
}
