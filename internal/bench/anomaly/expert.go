package main

import (
	xforest "github.com/e-XpertSolutions/go-iforest/v2/iforest"
)

var expert = peer{
	name:  "go-iforest v2.0.0",
	batch: 4, row: 3, fit: 2,
	train: func(table [][]float64) forest {
		f := xforest.NewForest(trees, perTree, 0.01)
		f.Train(table)
		return &expertForest{f: f}
	},
}

type expertForest struct {
	f      *xforest.Forest
	tested bool
}

// score scores all rows.
func (e *expertForest) score(rows [][]float64) []float64 {
	if !e.tested {
		// It predicts only after a test, which also sets its threshold.
		if err := e.f.Test(rows); err != nil {
			panic(err)
		}
		e.tested = true
	}
	_, scores, err := e.f.Predict(rows)
	if err != nil {
		panic(err)
	}
	for i, s := range scores {
		scores[i] = -s // 0.5 minus the usual score
	}
	return scores
}
