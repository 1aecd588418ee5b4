package roi

import (
	"fmt"
	"math"
	"slices"
)

// Rates are all rates at which a series of flows has the present value zero.
type Rates struct {
	// Roots holds the rates above -1 in ascending order, a root that only
	// touches zero once. A root nearer to -1 than float64 resolves is given
	// as the smallest float64 above -1. Never nil when the error is nil.
	Roots []float64 `json:"roots"`
	// Unique is true when there is exactly one root.
	Unique bool `json:"unique"`
	// SignChanges counts how often the flows change their sign, zeros
	// skipped. It bounds the number of roots and differs from it by an even
	// number when each root is counted as often as it repeats.
	SignChanges int `json:"sign_changes"`
}

// Rate returns the internal rate of return when it is unique. Of several roots
// none is preferred: the error is [ErrMultipleRoots] and names them, or
// [ErrNoRoot] if there is none.
func (r Rates) Rate() (float64, error) {
	switch {
	case len(r.Roots) == 0:
		return 0, ErrNoRoot
	case !r.Unique:
		return 0, fmt.Errorf("%w: %v", ErrMultipleRoots, r.Roots)
	}
	return r.Roots[0], nil
}

// IRR finds every rate per period at which [NPV] of flows is zero. Neither a
// first guess nor the scale of the flows matters, and zeros at either end do
// not; with a single change of sign there is exactly one root. Use [Rates.Rate]
// when only a unique rate will do: spreadsheets return one of several, depending
// on the guess.
//
// A root that touches zero without crossing is a root when the present value
// there is zero to within the rounding of its evaluation.
//
// Errors: [ErrNoFlows], [ErrTooFewFlows], [ErrBadFlow], [ErrAllZero],
// [ErrNoRoot] (with SignChanges filled in), and [ErrOverflow] when a root is
// beyond the largest float64 (with the others filled in).
func IRR(flows []float64) (Rates, error) {
	switch len(flows) {
	case 0:
		return Rates{}, ErrNoFlows
	case 1:
		return Rates{}, fmt.Errorf("%w: 1, want at least 2", ErrTooFewFlows)
	}
	return solve(series{a: flows})
}

// solve checks the amounts of a series and finds its rates.
func solve(s series) (Rates, error) {
	largest := 0.0
	for _, a := range s.a {
		if !(math.Abs(a) <= math.MaxFloat64) { // NaN too
			return Rates{}, checkFlows(s.a)
		}
		largest = max(largest, math.Abs(a))
	}
	if largest == 0 {
		return Rates{}, ErrAllZero
	}
	s = s.trim()
	if largest > largestAmount || largest < smallestAmount {
		var ok bool
		if s, ok = s.scale(largest); !ok {
			return Rates{}, fmt.Errorf("amounts too far apart: %w", ErrOverflow)
		}
	}
	changes, last := s.signChanges()
	roots, overflow := s.rates(changes, last)
	r := Rates{Roots: roots, SignChanges: changes, Unique: len(roots) == 1 && !overflow}
	switch {
	case overflow:
		return r, fmt.Errorf("internal rate of return: %w", ErrOverflow)
	case len(roots) == 0:
		return r, ErrNoRoot
	}
	return r, nil
}

// MIRR is the modified internal rate of return per period: negative flows are
// financed at one rate, positive ones reinvested at another,
//
//	MIRR = (FV(positive, reinvestRate) / −PV(negative, financeRate))^(1/(n−1)) − 1
//
// with n flows, the future value taken at the last one and the present value at
// the first.
//
// Errors: [ErrNoFlows], [ErrBadRate], [ErrBadFlow], [ErrNeedsBothSigns],
// [ErrOverflow].
func MIRR(flows []float64, financeRate, reinvestRate float64) (float64, error) {
	if len(flows) == 0 {
		return 0, ErrNoFlows
	}
	if err := checkRate(financeRate); err != nil {
		return 0, fmt.Errorf("finance: %w", err)
	}
	if err := checkRate(reinvestRate); err != nil {
		return 0, fmt.Errorf("reinvest: %w", err)
	}
	if err := checkFlows(flows); err != nil {
		return 0, err
	}
	var pv, fv float64
	x, g := 1/(1+financeRate), 1+reinvestRate
	for _, a := range slices.Backward(flows) {
		pv = float64(pv*x) + max(-a, 0)
	}
	for _, a := range flows {
		fv = float64(fv*g) + max(a, 0)
	}
	if !(pv > 0 && fv > 0) {
		return 0, fmt.Errorf("%w: want a positive and a negative one", ErrNeedsBothSigns)
	}
	growth := math.Log(fv) - math.Log(pv)
	r := math.Expm1(growth / float64(len(flows)-1))
	if !isFinite(r) {
		return 0, ErrOverflow
	}
	return r, nil
}
