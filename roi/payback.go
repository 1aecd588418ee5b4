package roi

import (
	"fmt"
	"math"
)

// Recovery tells when a cumulated series of flows gets back to zero.
type Recovery struct {
	// Reached is false when the outlay is never recovered within the flows.
	Reached bool `json:"reached"`
	// Periods is the first crossing in periods from the start, interpolated
	// linearly inside its period; 0 when Reached is false.
	Periods float64 `json:"periods"`
	// Recrossings are the later crossings, downwards and upwards in turn: an
	// investment that pays back and needs money again has some.
	Recrossings []float64 `json:"recrossings,omitempty"`
}

// Payback finds when the cumulated flows first reach zero. A first flow that is
// zero or positive is paid back at once. flows[0] is at the start, flows[t] is
// taken to arrive evenly during period t.
//
// Errors: [ErrNoFlows], [ErrBadFlow], [ErrOverflow].
func Payback(flows []float64) (Recovery, error) {
	return recovery(flows, 1)
}

// DiscountedPayback is [Payback] of the flows discounted at a rate per period,
// which takes longer whenever the rate is positive. Errors also [ErrBadRate].
func DiscountedPayback(rate float64, flows []float64) (Recovery, error) {
	if len(flows) == 0 {
		return Recovery{}, ErrNoFlows
	}
	if err := checkRate(rate); err != nil {
		return Recovery{}, err
	}
	return recovery(flows, 1/(1+rate))
}

func recovery(flows []float64, x float64) (Recovery, error) {
	if len(flows) == 0 {
		return Recovery{}, ErrNoFlows
	}
	var r Recovery
	sum, factor := 0.0, 1.0
	for t, a := range flows {
		before := sum
		amount := float64(a * factor)
		sum += amount
		factor *= x
		if !isFinite(sum) {
			return Recovery{}, refuse(0, flows)
		}
		below := sum < 0
		if t == 0 {
			r.Reached = !below
			continue
		}
		if below == (before < 0) {
			continue
		}
		at := float64(t-1) - before/amount
		if r.Reached {
			r.Recrossings = append(r.Recrossings, at)
		} else {
			r.Reached, r.Periods = true, at
		}
	}
	return r, nil
}

// PI is the profitability index, the present value of all flows after the first
// per unit of the outlay that the first one is,
//
//	PI = PV(flows[1:]) / |flows[0]|
//
// It is above 1 exactly when [NPV] is positive, and negative when the later
// flows are a loss too.
//
// Errors: those of [NPV], and [ErrNoOutlay] when flows[0] is not negative.
func PI(rate float64, flows []float64) (float64, error) {
	if _, err := NPV(rate, flows); err != nil {
		return 0, err
	}
	if flows[0] >= 0 {
		return 0, fmt.Errorf("%w: flow 0 is %v, want a negative amount", ErrNoOutlay, flows[0])
	}
	x := 1 / (1 + rate)
	pi := horner(flows[1:], x) * x / -flows[0]
	if math.IsInf(pi, 0) {
		return 0, ErrOverflow
	}
	return pi, nil
}
