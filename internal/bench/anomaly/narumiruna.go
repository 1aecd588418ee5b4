package main

import (
	nforest "github.com/narumiruna/go-iforest/pkg/iforest"
)

var narumiruna = peer{
	name:   "narumiruna/go-iforest v0.1.0",
	suffix: "_narumiruna",
	batch:  5, row: 5, fit: 2,
	train: func(table [][]float64) forest {
		f := nforest.NewWithOptions(nforest.Options{NumTrees: trees, SampleSize: perTree})
		f.Fit(matrix(table))
		return &narumirunaForest{f: f, full: matrix(table)}
	},
}

type narumirunaForest struct {
	f    *nforest.IsolationForest
	full nforest.Matrix // the whole table in its type, converted once
}

// score scores all rows.
func (n *narumirunaForest) score(rows [][]float64) []float64 {
	if len(rows) == len(n.full) {
		return n.f.Score(n.full)
	}
	return n.f.Score(matrix(rows))
}

func matrix(rows [][]float64) nforest.Matrix {
	m := make(nforest.Matrix, len(rows))
	for i, row := range rows {
		m[i] = row
	}
	return m
}
