package roi

import (
	"fmt"
	"math"
)

// NPV is the net present value of flows at a rate per period,
//
//	NPV = Σ flows[t] / (1+rate)^t    t = 0, 1, 2, …
//
// with flows[0] at the start and therefore not discounted. Spreadsheet
// functions of the same name discount it; see [NPVExcel]. The rate is a ratio
// (0.08 is 8 %) above -1. The sum is evaluated from the last flow to the first
// (Horner) in two interleaved parts, four for many flows.
//
// Errors: [ErrNoFlows], [ErrBadRate], [ErrBadFlow], [ErrOverflow].
func NPV(rate float64, flows []float64) (float64, error) {
	if len(flows) == 0 {
		return 0, ErrNoFlows
	}
	if !(rate > -1 && rate <= math.MaxFloat64) {
		return 0, checkRate(rate)
	}
	var pv float64
	if x := 1 / (1 + rate); len(flows) < short {
		pv = hornerTwo(flows, x)
	} else {
		pv = horner(flows, x)
	}
	if pv-pv != 0 { // not finite
		return 0, diagnose(flows)
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

// short is the number of flows from which on four chains are faster than two.
const short = 16

// horner evaluates Σ a[i]·x^i. Products are rounded before they are added, so
// that processors with a fused multiply-add give the same bits.
func horner(a []float64, x float64) float64 {
	// One chain waits for its own last product; two in x² and four in x⁴ do not wait
	// for each other.
	n := len(a)
	if n < short {
		return hornerTwo(a, x)
	}
	x2 := x * x
	x4 := x2 * x2
	head := n &^ 3
	var s0, s1, s2, s3 float64
	for i := n - 1; i >= head; i-- {
		s0 = float64(s0*x) + a[i]
	}
	for i := head - 4; i >= 0; i -= 4 {
		q := a[i : i+4 : i+4]
		s0 = float64(s0*x4) + q[0]
		s1 = float64(s1*x4) + q[1]
		s2 = float64(s2*x4) + q[2]
		s3 = float64(s3*x4) + q[3]
	}
	return s0 + float64(x*s1) + float64(x2*(s2+float64(x*s3)))
}

// hornerTwo goes in two chains, and is small enough to be inlined.
func hornerTwo(a []float64, x float64) float64 {
	var even, odd float64
	x2, i := x*x, len(a)-1
	if i&1 == 0 {
		even = a[i]
		i--
	}
	for ; i > 0; i -= 2 {
		odd = float64(odd*x2) + a[i]
		even = float64(even*x2) + a[i-1]
	}
	return even + float64(odd*x)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkRate(rate float64) error {
	if !isFinite(rate) || rate <= -1 {
		return fmt.Errorf("%w: %v, want a finite ratio > -1", ErrBadRate, rate)
	}
	return nil
}

// diagnose explains why a sum over flows is not finite.
func diagnose(flows []float64) error {
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
