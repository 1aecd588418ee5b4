// Package sample draws seeded random numbers from the distributions that
// scenarios are built of: what a person can state about an uncertain quantity
// (a range, a most likely value, a mean and a spread) and what history shows.
//
// A [Dist] is made by the function named after the distribution, which checks
// all parameters before anything is drawn. [Dist.Draw] takes its randomness
// from the source it is given and from nowhere else:
//
//	hours, err := sample.PERT(1, 1.5, 4)
//	if err != nil {
//		return err
//	}
//	src := rand.NewPCG(seed, chunk)
//	x, err := hours.Draw(src)
//
// Draws use only the 64-bit words of the source and arithmetic of this package,
// not the methods of rand.Rand, so that the sequence for a seed stays the same
// as long as the source does.
package sample

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// MaxTries is the number of values a truncated distribution draws before it
// gives up with [ErrExhausted].
const MaxTries = 10_000

// ErrExhausted is returned by [Dist.Draw] when a truncated distribution has
// rejected [MaxTries] values in a row: the bounds keep too little of it.
var ErrExhausted = errors.New("no value inside the bounds")

// ParamError tells which parameter of which distribution cannot be used. Value
// is the offending number; Index is its position in a list, or -1.
type ParamError struct {
	Dist  string
	Param string
	Index int
	Value float64
	Want  string
}

// Error says which parameter is wrong and what is wanted.
func (e *ParamError) Error() string {
	param := e.Param
	if e.Index >= 0 {
		param = fmt.Sprintf("%s[%d]", e.Param, e.Index)
	}
	return fmt.Sprintf("%s: %s is %v, want %s", e.Dist, param, e.Value, e.Want)
}

type kind uint8

const (
	constant kind = iota
	uniform
	triangular
	pert
	normal
	lognormal
	exponential
	weibull
	pareto
	discrete
	empirical
)

var kindNames = [...]string{
	"constant", "uniform", "triangular", "pert", "normal", "lognormal", "exponential", "weibull", "pareto", "discrete", "empirical",
}

// Dist is a distribution with checked parameters. The zero value is the
// constant 0. A Dist is immutable and safe for concurrent use; the source
// handed to [Dist.Draw] usually is not.
type Dist struct {
	kind  kind
	lo    float64 // constant, smallest value, mean, log-mean or scale
	hi    float64 // largest value, sd, log-sd or 1/shape
	mode  float64
	split float64 // triangular: distribution function at the mode
	beta  betaSampler

	values     []float64 // ascending
	cumulative []float64 // discrete: weight of values[..i], not normalised

	truncated  bool
	from, upTo float64
}

// Constant is the value v with certainty.
func Constant(v float64) (Dist, error) {
	if err := finite(constant, "value", v); err != nil {
		return Dist{}, err
	}
	return Dist{kind: constant, lo: v}, nil
}

// Uniform is flat on [lo, hi]: mean (lo+hi)/2, variance (hi-lo)²/12. Equal
// bounds give a constant.
func Uniform(lo, hi float64) (Dist, error) {
	if err := ordered(uniform, lo, lo, hi); err != nil {
		return Dist{}, err
	}
	if lo == hi {
		return Constant(lo)
	}
	return Dist{kind: uniform, lo: lo, hi: hi}, nil
}

// Triangular rises linearly from lo to the most likely value mode and falls
// linearly to hi: mean (lo+mode+hi)/3, variance
// (lo²+mode²+hi²-lo·mode-lo·hi-mode·hi)/18. All equal gives a constant.
func Triangular(lo, mode, hi float64) (Dist, error) {
	if err := ordered(triangular, lo, mode, hi); err != nil {
		return Dist{}, err
	}
	if lo == hi {
		return Constant(lo)
	}
	return Dist{kind: triangular, lo: lo, hi: hi, mode: mode, split: (mode - lo) / (hi - lo)}, nil
}

// PERT is the beta distribution on [lo, hi] that project estimation uses for
// three-point estimates (Malcolm, Roseboom, Clark and Fazar 1959) in its usual
// form with weight 4 on the mode: shapes
//
//	a = 1 + 4 (mode-lo)/(hi-lo)    b = 1 + 4 (hi-mode)/(hi-lo)
//
// so mean (lo+4·mode+hi)/6 and variance (mean-lo)(hi-mean)/7. All equal gives a
// constant.
func PERT(lo, mode, hi float64) (Dist, error) {
	if err := ordered(pert, lo, mode, hi); err != nil {
		return Dist{}, err
	}
	if lo == hi {
		return Constant(lo)
	}
	rel := (mode - lo) / (hi - lo)
	return Dist{kind: pert, lo: lo, hi: hi, mode: mode, beta: newBetaSampler(1+4*rel, 1+4*(1-rel))}, nil
}

// Normal is the Gaussian with the given mean and standard deviation; sd 0 gives
// a constant. One word of the source makes one value by inverting the
// distribution function, which reaches 8.2 standard deviations.
func Normal(mean, sd float64) (Dist, error) {
	if err := spread(normal, mean, sd); err != nil {
		return Dist{}, err
	}
	if sd == 0 {
		return Constant(mean)
	}
	return Dist{kind: normal, lo: mean, hi: sd}, nil
}

// Lognormal has the given mean and standard deviation itself (not those of its
// logarithm). The logarithm is Gaussian with
//
//	variance  s² = ln(1 + sd²/mean²)    mean  ln(mean) - s²/2
//
// The mean must be positive; sd 0 gives a constant.
func Lognormal(mean, sd float64) (Dist, error) {
	if err := spread(lognormal, mean, sd); err != nil {
		return Dist{}, err
	}
	if mean <= 0 {
		return Dist{}, &ParamError{lognormal.String(), "mean", -1, mean, "a number > 0"}
	}
	if sd == 0 {
		return Constant(mean)
	}
	rel := sd / mean
	s2 := math.Log1p(rel * rel)
	if math.IsInf(s2, 0) {
		return Dist{}, &ParamError{lognormal.String(), "sd", -1, sd, "a spread that float64 can hold relative to the mean"}
	}
	return Dist{kind: lognormal, lo: math.Log(mean) - s2/2, hi: math.Sqrt(s2)}, nil
}

// Discrete takes values[i] with probability weights[i]/Σweights. Equal values
// add their weights; the order of the list does not change what is drawn. The
// slices are copied.
func Discrete(values, weights []float64) (Dist, error) {
	name := discrete.String()
	if len(values) == 0 || len(values) != len(weights) {
		return Dist{}, &ParamError{name, "weights", -1, float64(len(weights)), fmt.Sprintf("one weight for each of the values, of which there are %d", len(values))}
	}
	type pair struct{ value, weight float64 }
	pairs := make([]pair, len(values))
	for i := range values {
		if !isFinite(values[i]) {
			return Dist{}, &ParamError{name, "values", i, values[i], "a finite number"}
		}
		if !isFinite(weights[i]) || weights[i] < 0 {
			return Dist{}, &ParamError{name, "weights", i, weights[i], "a finite number >= 0"}
		}
		pairs[i] = pair{values[i], weights[i]}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.value != b.value {
			if a.value < b.value {
				return -1
			}
			return 1
		}
		if a.weight < b.weight {
			return -1
		}
		if a.weight > b.weight {
			return 1
		}
		return 0
	})
	d := Dist{kind: discrete}
	sum := 0.0
	for _, p := range pairs {
		if p.weight == 0 {
			continue
		}
		sum += p.weight
		if n := len(d.values); n > 0 && d.values[n-1] == p.value {
			d.cumulative[n-1] = sum
			continue
		}
		d.values = append(d.values, p.value)
		d.cumulative = append(d.cumulative, sum)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return Dist{}, &ParamError{name, "sum of weights", -1, sum, "a finite number > 0"}
	}
	return d, nil
}

// Empirical draws from history with replacement, each value equally likely. The
// order of history does not change what is drawn. The slice is copied.
func Empirical(history []float64) (Dist, error) {
	if len(history) == 0 {
		return Dist{}, &ParamError{empirical.String(), "history length", -1, 0, "at least one value"}
	}
	for i, v := range history {
		if !isFinite(v) {
			return Dist{}, &ParamError{empirical.String(), "history", i, v, "a finite number"}
		}
	}
	values := slices.Clone(history)
	slices.Sort(values)
	return Dist{kind: empirical, values: values}, nil
}

// Truncate keeps only the values in [lo, hi], both ends included, by drawing
// again until a value fits. Infinite bounds leave a side open. Truncating twice
// keeps what fits both. Bounds that leave nothing to draw are an error here;
// bounds that leave too little are [ErrExhausted] when drawing.
func (d Dist) Truncate(lo, hi float64) (Dist, error) {
	name := d.kind.String()
	if math.IsNaN(lo) {
		return Dist{}, &ParamError{name, "lower bound", -1, lo, "a number"}
	}
	if !(lo <= hi) {
		return Dist{}, &ParamError{name, "upper bound", -1, hi, fmt.Sprintf("at least the lower bound %v", lo)}
	}
	if d.truncated {
		lo, hi = max(lo, d.from), min(hi, d.upTo)
	}
	smallest, largest := d.support()
	if !(lo <= hi) || hi < smallest || lo > largest || d.isList() && !slices.ContainsFunc(d.values, func(v float64) bool { return lo <= v && v <= hi }) {
		return Dist{}, &ParamError{name, "upper bound", -1, hi, fmt.Sprintf("bounds that keep a part of [%v, %v]", smallest, largest)}
	}
	d.truncated, d.from, d.upTo = true, lo, hi
	return d, nil
}

func (d *Dist) isList() bool { return d.kind == discrete || d.kind == empirical }

// support returns the smallest and the largest value that can be drawn.
func (d *Dist) support() (lo, hi float64) {
	switch d.kind {
	case uniform, triangular, pert:
		return d.lo, d.hi
	case normal:
		return math.Inf(-1), math.Inf(1)
	case lognormal, exponential, weibull:
		return 0, math.Inf(1)
	case pareto:
		return d.lo, math.Inf(1)
	case discrete, empirical:
		return d.values[0], d.values[len(d.values)-1]
	default:
		return d.lo, d.lo
	}
}

// Draw returns the next value. The error is nil unless the distribution is
// truncated, and then nil or [ErrExhausted] with the distribution and bounds.
func (d *Dist) Draw(src rand.Source) (float64, error) {
	if !d.truncated {
		return d.draw(src), nil
	}
	for range MaxTries {
		if x := d.draw(src); d.from <= x && x <= d.upTo {
			return x, nil
		}
	}
	return 0, fmt.Errorf("%s on [%v, %v]: %w in %d tries", d.kind, d.from, d.upTo, ErrExhausted, MaxTries)
}

func (d *Dist) draw(src rand.Source) float64 {
	switch d.kind {
	case uniform:
		u := unit(src)
		return d.lo + float64((d.hi-d.lo)*u)
	case triangular:
		u := unit(src)
		width := d.hi - d.lo
		if u < d.split {
			return d.lo + float64(width*math.Sqrt(u*d.split))
		}
		return d.hi - float64(width*math.Sqrt((1-u)*(1-d.split)))
	case pert:
		return d.lo + float64((d.hi-d.lo)*d.beta.draw(src))
	case normal:
		return d.lo + float64(d.hi*gauss(src))
	case lognormal:
		return math.Exp(d.lo + float64(d.hi*gauss(src)))
	case exponential:
		return -d.lo * math.Log(unit(src))
	case weibull:
		return d.lo * math.Pow(-math.Log(unit(src)), d.hi)
	case pareto:
		return d.lo * math.Pow(unit(src), -d.hi)
	case discrete:
		u := unit(src) * d.cumulative[len(d.cumulative)-1]
		i := sort.Search(len(d.cumulative), func(i int) bool { return d.cumulative[i] > u })
		return d.values[min(i, len(d.values)-1)]
	case empirical:
		n := len(d.values)
		return d.values[min(int(unit(src)*float64(n)), n-1)]
	default:
		return d.lo
	}
}

// unit returns a uniform number strictly between 0 and 1: the middles of 2⁵²
// equal cells, all of which are float64 values, so that neither end is ever
// returned and inverse distribution functions stay finite.
func unit(src rand.Source) float64 {
	return (float64(src.Uint64()>>12) + 0.5) * 0x1p-52
}

// gauss returns a standard normal number.
func gauss(src rand.Source) float64 {
	return math.Sqrt2 * math.Erfinv(2*unit(src)-1)
}

// String returns the name of the kind.
func (k kind) String() string { return kindNames[k] }

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func finite(k kind, param string, v float64) error {
	if !isFinite(v) {
		return &ParamError{k.String(), param, -1, v, "a finite number"}
	}
	return nil
}

// ordered checks lo <= mode <= hi, all finite, with a width that is finite too.
func ordered(k kind, lo, mode, hi float64) error {
	if err := finite(k, "min", lo); err != nil {
		return err
	}
	if err := finite(k, "mode", mode); err != nil {
		return err
	}
	if err := finite(k, "max", hi); err != nil {
		return err
	}
	switch {
	case mode < lo:
		return &ParamError{k.String(), "mode", -1, mode, fmt.Sprintf("at least the minimum %v", lo)}
	case hi < mode:
		return &ParamError{k.String(), "max", -1, hi, fmt.Sprintf("at least %v", mode)}
	case math.IsInf(hi-lo, 0):
		return &ParamError{k.String(), "max", -1, hi, "a range that float64 can hold"}
	}
	return nil
}

// maxDeviations is more than gauss can return (8.21 for the outermost cell).
const maxDeviations = 9

func spread(k kind, mean, sd float64) error {
	if err := finite(k, "mean", mean); err != nil {
		return err
	}
	if err := finite(k, "sd", sd); err != nil {
		return err
	}
	if sd < 0 {
		return &ParamError{k.String(), "sd", -1, sd, "a number >= 0"}
	}
	if k == normal && math.IsInf(math.Abs(mean)+maxDeviations*sd, 0) {
		return &ParamError{k.String(), "sd", -1, sd, "values that float64 can hold"}
	}
	return nil
}
