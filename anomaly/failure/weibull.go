package failure

import (
	"fmt"
	"math"
)

// Weibull is a distribution of times to failure,
//
//	P(T > t) = exp(-(t/Scale)^Shape)
//
// (Weibull, Journal of Applied Mechanics 18, 1951). A shape below 1 means that
// units fail early or not at all, 1 that age does not matter, above 1 that they
// wear out. Scale has the unit of the lives: 63.2 % have failed by then.
type Weibull struct {
	Shape float64 `json:"shape"`
	Scale float64 `json:"scale"`
}

// FitWeibull finds the likeliest distribution of lives that ended in failures and
// of lives of units that still work, or were taken out of service working
// (censored; may be empty). The shape solves
//
//	sum t^k ln t / sum t^k - 1/k = mean ln t of the failures
//
// with sums over all units, and Scale^k = sum t^k / failures (Cohen, Technometrics
// 7(4), 1965). It needs two different lives, of which two failures or one failure
// and a longer censored one; all must be positive and finite.
func FitWeibull(failures, censored []float64) (Weibull, error) {
	all := make([]float64, 0, len(failures)+len(censored))
	for _, list := range []struct {
		name   string
		values []float64
	}{{"failures", failures}, {"censored", censored}} {
		for i, v := range list.values {
			if !(v > 0) || math.IsInf(v, 1) {
				return Weibull{}, &ValueError{Field: fmt.Sprintf("%s[%d]", list.name, i), Value: v, Want: "a finite life above 0"}
			}
			all = append(all, v)
		}
	}
	most := 0.0
	for _, v := range all {
		most = max(most, v)
	}
	// In units of the longest life every power is at most 1.
	logs, mean, spread := make([]float64, len(all)), 0.0, false
	for i, v := range all {
		logs[i] = math.Log(v / most)
		if i < len(failures) {
			mean += logs[i] / float64(len(failures))
			spread = spread || v < most
		}
	}
	if len(failures) == 0 || !spread {
		return Weibull{}, ErrTooFew
	}
	// excess rises with the shape, from -Inf to -mean > 0.
	excess := func(k float64) (float64, float64) {
		powers, weighted := 0.0, 0.0
		for _, l := range logs {
			p := math.Exp(k * l)
			powers += p
			weighted += float64(p * l)
		}
		return weighted/powers - 1/k - mean, powers
	}
	low, high := 1e-6, 1.0
	for e, _ := excess(high); e < 0; e, _ = excess(high) {
		low, high = high, 2*high
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if e, _ := excess(middle); e < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	shape := low + (high-low)/2
	_, powers := excess(shape)
	return Weibull{Shape: shape, Scale: most * math.Exp(math.Log(powers/float64(len(failures)))/shape)}, nil
}

// Survival is the probability of a life longer than t, 1 for t <= 0.
func (w Weibull) Survival(t float64) float64 {
	return math.Exp(-math.Pow(max(t, 0)/w.Scale, w.Shape))
}

// FailWithin is the probability that a unit which has survived so far fails within
// the next stretch:
//
//	1 - exp((t/s)^k - ((t+h)/s)^k)
func (w Weibull) FailWithin(survived, within float64) float64 {
	survived, within = max(survived, 0), max(within, 0)
	return -math.Expm1(math.Pow(survived/w.Scale, w.Shape) - math.Pow((survived+within)/w.Scale, w.Shape))
}

// Hazard is the rate of failures at an age, per unit of time. At age 0 it is
// +Inf for shapes below 1.
func (w Weibull) Hazard(age float64) float64 {
	return w.Shape / w.Scale * math.Pow(max(age, 0)/w.Scale, w.Shape-1)
}

// Quantile is the age by which a share of 0 to 1 has failed; 0.1 gives what
// makers of parts call B10.
func (w Weibull) Quantile(share float64) float64 {
	return w.Scale * math.Pow(-math.Log1p(-share), 1/w.Shape)
}

// Mean is the mean time to failure, Scale Γ(1 + 1/Shape).
func (w Weibull) Mean() float64 { return w.Scale * math.Gamma(1+1/w.Shape) }
