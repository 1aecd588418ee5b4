package failure

import (
	"fmt"
	"math"
	"slices"
)

// Repairable is the history of one system that is repaired when it fails.
type Repairable struct {
	// Times are the instants of the failures since the start of the observation, all
	// in one unit, positive and in increasing order; equal ones are allowed.
	Times []float64 `json:"times"`
	// End is when the observation ended, if by the clock, and not before the last
	// failure. 0 means that it ended with the last failure, which then has another
	// meaning for both statistics.
	End float64 `json:"end,omitempty"`
}

// Trend is the test of Laplace whether failures come more often over time (Cox and
// Lewis, The Statistical Analysis of Series of Events, 1966, section 3.3).
type Trend struct {
	// U is standard normal if the rate does not change: positive if failures come
	// more often, negative if the system improves.
	U float64 `json:"u"`
	// PIncreasing is the chance of so high a U without any change, 0 to 1: small
	// says that it is getting worse.
	PIncreasing float64 `json:"p_increasing"`
}

// Laplace tests for a trend. Observed until the last failure Tn, or until an End:
//
//	U = (mean(T1..T(n-1)) - Tn/2) / (Tn sqrt(1/(12(n-1))))
//	U = (mean(T1..Tn) - End/2) / (End sqrt(1/(12 n)))
//
// It needs two failures, or one with an End.
func (r *Repairable) Laplace() (Trend, error) {
	times, end, err := r.observed()
	if err != nil {
		return Trend{}, err
	}
	if r.End == 0 {
		times = times[:len(times)-1]
	}
	if len(times) < 1 {
		return Trend{}, ErrTooFew
	}
	n := float64(len(times))
	mean := 0.0
	for _, t := range times {
		mean += t / n
	}
	u := (mean - end/2) / (end * math.Sqrt(1/(12*n)))
	return Trend{U: u, PIncreasing: math.Erfc(u/math.Sqrt2) / 2}, nil
}

// Growth is the power law of Crow and AMSAA: by time t a system has failed
// Lambda t^Beta times on average (Crow, "Reliability Analysis for Complex,
// Repairable Systems", in Reliability and Biometry, SIAM, 1974; MIL-HDBK-189). A
// Beta above 1 is deterioration, below 1 growth of reliability.
type Growth struct {
	Beta   float64 `json:"beta"`
	Lambda float64 `json:"lambda"`
	// End is the end of the observation, at which MTBF holds.
	End float64 `json:"end"`
	// MTBF is the mean time between failures at the end,
	//
	//	1 / (Lambda Beta End^(Beta-1))
	MTBF float64 `json:"mtbf"`
}

// CrowAMSAA fits the power law by maximum likelihood, n failures until End, or the
// last failure:
//
//	Beta = n / sum ln(End/Ti)    Lambda = n / End^Beta
//
// It needs two failures, or one before an End.
func (r *Repairable) CrowAMSAA() (Growth, error) {
	times, end, err := r.observed()
	if err != nil {
		return Growth{}, err
	}
	logs := 0.0
	for _, t := range times {
		logs += math.Log(end / t)
	}
	if logs <= 0 {
		return Growth{}, ErrTooFew
	}
	n := float64(len(times))
	g := Growth{Beta: n / logs, End: end}
	g.Lambda = n / math.Pow(end, g.Beta)
	g.MTBF = end / (n * g.Beta) // with Lambda put in; no power can overflow
	return g, nil
}

// Expected is the mean number of failures in the stretch (from, to] since the start
// of the observation, if nothing changes. Beyond End it is a forecast.
func (g Growth) Expected(from, to float64) float64 {
	return g.Lambda * (math.Pow(max(to, 0), g.Beta) - math.Pow(max(from, 0), g.Beta))
}

// FailWithin is the probability of at least one failure within the next stretch
// behind End.
func (g Growth) FailWithin(within float64) float64 {
	return -math.Expm1(-g.Expected(g.End, g.End+max(within, 0)))
}

// observed checks the history and returns the failures and the end.
func (r *Repairable) observed() ([]float64, float64, error) {
	n := len(r.Times)
	for i, t := range r.Times {
		if !(t > 0) || math.IsInf(t, 1) {
			return nil, 0, &ValueError{Field: fmt.Sprintf("times[%d]", i), Value: t, Want: "a finite time above 0"}
		}
		if i > 0 && t < r.Times[i-1] {
			return nil, 0, &ValueError{Field: fmt.Sprintf("times[%d]", i), Value: t, Want: fmt.Sprintf("at least %v, the failure before", r.Times[i-1])}
		}
	}
	switch {
	case n == 0:
		return nil, 0, ErrTooFew
	case r.End == 0:
		return slices.Clone(r.Times), r.Times[n-1], nil
	case !(r.End >= r.Times[n-1]) || math.IsInf(r.End, 1):
		return nil, 0, &ValueError{Field: "end", Value: r.End, Want: fmt.Sprintf("a finite time of at least %v, the last failure, or 0", r.Times[n-1])}
	}
	return slices.Clone(r.Times), r.End, nil
}
