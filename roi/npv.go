package roi

import (
	"fmt"
	"math"
	"slices"
)

// NPV is the net present value of flows at a rate per period,
//
//	NPV = Σ flows[t] / (1+rate)^t    t = 0, 1, 2, …
//
// with flows[0] at the start and therefore not discounted. Spreadsheet
// functions of the same name discount it; see [NPVExcel]. The rate is a ratio
// (0.08 is 8 %) above -1. Up to eight flows are summed in pairs, pairs of pairs and
// so on (Estrin 1960), more from the last to the first (Horner) in four interleaved
// parts.
//
// Errors: [ErrNoFlows], [ErrBadRate], [ErrBadFlow], [ErrOverflow].
func NPV(rate float64, flows []float64) (float64, error) {
	// A rate of -1 has an infinite x and with it no finite value of two flows or more;
	// below it x is negative.
	x := 1 / (1 + rate)
	if !(x >= steep) || len(flows) < 2 {
		return beyond(rate, flows)
	}
	// Without a loop and a second call, which cost as much as the products.
	var pv float64
	x2 := x * x
	switch a := flows; len(a) {
	case 2:
		pv = join(a[0], a[1], x)
	case 3:
		pv = join(join(a[0], a[1], x), a[2], x2)
	case 4:
		pv = join(join(a[0], a[1], x), join(a[2], a[3], x), x2)
	case 5:
		pv = join(join(join(a[0], a[1], x), join(a[2], a[3], x), x2), a[4], x2*x2)
	case 6:
		pv = join(join(join(a[0], a[1], x), join(a[2], a[3], x), x2), join(a[4], a[5], x), x2*x2)
	case 7:
		pv = join(join(join(a[0], a[1], x), join(a[2], a[3], x), x2), join(join(a[4], a[5], x), a[6], x2), x2*x2)
	case 8:
		pv = join(join(join(a[0], a[1], x), join(a[2], a[3], x), x2), join(join(a[4], a[5], x), join(a[6], a[7], x), x2), x2*x2)
	default:
		pv = horner(a, x)
	}
	if pv-pv != 0 { // not finite
		return 0, refuse(rate, flows)
	}
	return pv, nil
}

// NPVExcel is the present value as the NPV function of spreadsheets defines it:
// the first flow is one period away and discounted too,
//
//	NPVExcel = Σ flows[t] / (1+rate)^(t+1) = NPV / (1+rate)
//
// It is here to reproduce and to explain spreadsheet results. Errors as [NPV].
func NPVExcel(rate float64, flows []float64) (float64, error) {
	pv, err := NPV(rate, flows)
	if err != nil {
		return 0, err
	}
	pv /= 1 + rate
	if !isFinite(pv) {
		return 0, ErrOverflow
	}
	return pv, nil
}

// join is lo + hi·x. The product is rounded before it is added, so that processors
// with a fused multiply-add give the same bits.
func join(lo, hi, x float64) float64 { return lo + float64(hi*x) }

// steep is the smallest 1/(1+rate) whose fourth power has all its bits.
const steep = 0x1p-250

// beyond is [NPV] at rates above 1/steep, at those that are none, and of fewer than
// two flows.
func beyond(rate float64, flows []float64) (float64, error) {
	if checkRate(rate) == nil && len(flows) > 0 {
		if pv := horner(flows, 1/(1+rate)); isFinite(pv) {
			return pv, nil
		}
	}
	return 0, refuse(rate, flows)
}

// horner evaluates Σ a[i]·x^i. One chain would wait for its own last product; four in
// x⁴ do not wait for each other.
func horner(a []float64, x float64) float64 {
	if x <= steep {
		sum := 0.0
		for _, v := range slices.Backward(a) {
			sum = join(v, sum, x)
		}
		return sum
	}
	x2 := x * x
	x4 := x2 * x2
	n := len(a)
	head := n &^ 3
	var s0, s1, s2, s3 float64
	for i := n - 1; i >= head; i-- {
		s0 = join(a[i], s0, x)
	}
	for i := head - 4; i >= 0; i -= 4 {
		q := a[i : i+4 : i+4]
		s0 = join(q[0], s0, x4)
		s1 = join(q[1], s1, x4)
		s2 = join(q[2], s2, x4)
		s3 = join(q[3], s3, x4)
	}
	return join(join(s0, s1, x), join(s2, s3, x), x2)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkRate(rate float64) error {
	if !isFinite(rate) || rate <= -1 {
		return fmt.Errorf("%w: %v, want a finite ratio > -1", ErrBadRate, rate)
	}
	return nil
}

// refuse explains why flows have no finite present value at a rate.
func refuse(rate float64, flows []float64) error {
	if len(flows) == 0 {
		return ErrNoFlows
	}
	if err := checkRate(rate); err != nil {
		return err
	}
	if err := checkFlows(flows); err != nil {
		return err
	}
	return ErrOverflow
}

func checkFlows(flows []float64) error {
	for i, v := range flows {
		if !isFinite(v) {
			return fmt.Errorf("%w: flow %d is %v, want a finite number", ErrBadFlow, i, v)
		}
	}
	return nil
}
