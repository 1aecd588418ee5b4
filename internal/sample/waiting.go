package sample

import (
	"fmt"
	"math"
)

// Exponential is the time between events that come at a constant rate: mean and
// standard deviation are both mean,
//
//	P(X > x) = exp(-x/mean)
//
// The mean must be positive.
func Exponential(mean float64) (Dist, error) {
	if err := positive(exponential, "mean", mean); err != nil {
		return Dist{}, err
	}
	if math.IsInf(mean*largestLog, 0) {
		return Dist{}, &ParamError{exponential.String(), "mean", -1, mean, "values that float64 can hold"}
	}
	return Dist{kind: exponential, lo: mean}, nil
}

// Weibull has a scale and a shape (Weibull, A statistical distribution function
// of wide applicability, Journal of Applied Mechanics 18, 1951): mean
// scale·Γ(1+1/shape), and
//
//	P(X > x) = exp(-(x/scale)^shape)
//
// A shape below 1 has a heavier tail than the exponential, which is shape 1.
// Both must be positive.
func Weibull(scale, shape float64) (Dist, error) {
	return scaled(weibull, scale, shape, func(inverse float64) float64 { return math.Pow(largestLog, inverse) })
}

// Pareto is the distribution of the first kind (Arnold, Pareto Distributions,
// 1983): no value is below scale,
//
//	P(X > x) = (scale/x)^shape      x >= scale
//
// The mean is scale·shape/(shape-1), and infinite for a shape of 1 or less. Both
// must be positive.
func Pareto(scale, shape float64) (Dist, error) {
	return scaled(pareto, scale, shape, func(inverse float64) float64 { return math.Exp(largestLog * inverse) })
}

// largestLog is more than -ln of the smallest number that unit returns, 2^-53.
const largestLog = 37

// scaled checks that the largest value, most(1/shape) times the scale, is finite.
func scaled(k kind, scale, shape float64, most func(inverse float64) float64) (Dist, error) {
	if err := positive(k, "scale", scale); err != nil {
		return Dist{}, err
	}
	if err := positive(k, "shape", shape); err != nil {
		return Dist{}, err
	}
	inverse := 1 / shape
	if math.IsInf(scale*most(inverse), 0) {
		return Dist{}, &ParamError{k.String(), "shape", -1, shape, "a shape with values that float64 can hold"}
	}
	return Dist{kind: k, lo: scale, hi: inverse}, nil
}

// MaxPoisson is the largest mean of a [Poisson] distribution.
const MaxPoisson = 100_000

// Poisson is the number of events that come at a constant rate: mean and variance
// are both mean,
//
//	P(X = k) = exp(-mean)·mean^k/k!
//
// It is a [Discrete] table of the counts that a draw can return, about
// 20·sqrt(mean) of them. The mean lies between 0 and [MaxPoisson].
func Poisson(mean float64) (Dist, error) {
	const name = "poisson"
	if !(mean >= 0 && mean <= MaxPoisson) {
		return Dist{}, &ParamError{name, "mean", -1, mean, fmt.Sprintf("a number from 0 to %d", MaxPoisson)}
	}
	if mean == 0 {
		return Constant(0)
	}
	mode := math.Floor(mean)
	logGamma, _ := math.Lgamma(mode + 1)
	peak := math.Exp(float64(mode*math.Log(mean)) - mean - logGamma)
	var counts, weights []float64
	for k, p := mode, peak; p > negligible; k, p = k-1, p*k/mean {
		counts, weights = append(counts, k), append(weights, p)
		if k == 0 {
			break
		}
	}
	for k := mode + 1; ; k++ {
		peak *= mean / k
		if peak <= negligible {
			break
		}
		counts, weights = append(counts, k), append(weights, peak)
	}
	return Discrete(counts, weights)
}

// negligible is a probability far below the 2^-52 that unit can tell apart.
const negligible = 0x1p-70

func positive(k kind, param string, v float64) error {
	if !isFinite(v) || v <= 0 {
		return &ParamError{k.String(), param, -1, v, "a finite number > 0"}
	}
	return nil
}
