package risk

import (
	"strconv"

	"github.com/evenkeelops/evenkeel/roi"
)

// Axis is an input and the values that it takes.
type Axis struct {
	Input  string    `json:"input"`
	Values []float64 `json:"values"`
}

// Steps returns n values from one to the other, both included and evenly spaced;
// the first alone for n = 1, none below.
func Steps(from, to float64, n int) []float64 {
	out := make([]float64, max(n, 0))
	for i := range out {
		out[i] = from
		if i > 0 {
			part := float64(i) / float64(n-1)
			out[i] = float64(from*(1-part)) + float64(to*part)
		}
	}
	return out
}

// Table is the net present value over two inputs.
type Table struct {
	X Axis `json:"x"` // with the whole path
	Y Axis `json:"y"`
	// NPV has a row for each value of Y with a column for each value of X.
	NPV [][]float64 `json:"npv"`
}

// Grid values the sound model at every pair of two inputs' values, all others
// unchanged. The slices of values are kept in the table.
//
// Errors: that of [roi.Model.Validate], [*roi.FieldError] for an input that is
// unknown, the other one, or cannot have a value, [*InputError] for an axis without
// values, roi.ErrOverflow.
func Grid(m roi.Model, x, y Axis) (*Table, error) {
	plan, err := roi.Compile(m, x.Input, y.Input)
	if err != nil {
		return nil, err
	}
	for i, a := range []*Axis{&x, &y} {
		if len(a.Values) == 0 {
			return nil, &InputError{Path: []string{"x", "y"}[i] + ".values", Value: strconv.Itoa(len(a.Values)), Want: "at least one value"}
		}
	}
	paths := plan.Paths()
	x.Input, y.Input = paths[0], paths[1]
	t := &Table{X: x, Y: y, NPV: make([][]float64, len(y.Values))}
	cells := make([]float64, len(x.Values)*len(y.Values))
	var values [2]float64
	for i, v := range y.Values {
		row := cells[i*len(x.Values) : (i+1)*len(x.Values) : (i+1)*len(x.Values)]
		values[1] = v
		for j, u := range x.Values {
			values[0] = u
			pt, err := plan.At(values[:])
			if err != nil {
				return nil, err
			}
			row[j] = pt.NPV
		}
		t.NPV[i] = row
	}
	return t, nil
}
