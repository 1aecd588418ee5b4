package pricing

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

// LengthKind names a distribution of lengths.
type LengthKind string

// The distributions, with the fields of [Lengths] that each has. A random length
// is called X.
const (
	// Discrete takes Values[i] with probability Weights[i]/ΣWeights; without
	// weights all values are equally likely.
	Discrete LengthKind = "discrete"

	// Empirical draws from Values, each equally likely: lengths that were seen.
	Empirical LengthKind = "empirical"

	// Exponential has a Mean: P(X > x) = exp(−x/Mean).
	Exponential LengthKind = "exponential"

	// Lognormal has the Mean and the standard deviation SD itself, not those of
	// its logarithm, which is Gaussian with variance ln(1 + SD²/Mean²).
	Lognormal LengthKind = "lognormal"

	// Weibull has a Scale and a Shape: P(X > x) = exp(−(x/Scale)^Shape), mean
	// Scale·Γ(1 + 1/Shape) (Weibull, Journal of Applied Mechanics 18, 1951).
	Weibull LengthKind = "weibull"

	// Pareto has a Scale, the shortest length, and a Shape:
	// P(X > x) = (Scale/x)^Shape (the first kind in Arnold, Pareto Distributions,
	// 1983). Its mean is infinite for a Shape of 1 or less, before it is cut to
	// the period.
	Pareto LengthKind = "pareto"
)

// Lengths is a distribution of the lengths of outages or gaps. Fields that its
// kind does not have must not be set. What is drawn is rounded to the nanosecond
// and cut to the length of the period.
type Lengths struct {
	Kind LengthKind `json:"kind"`

	Mean  time.Duration `json:"mean_ns,omitzero"`
	SD    time.Duration `json:"sd_ns,omitzero"`
	Scale time.Duration `json:"scale_ns,omitzero"`
	Shape float64       `json:"shape,omitzero"`

	Values  []time.Duration `json:"values_ns,omitempty"`
	Weights []float64       `json:"weights,omitempty"`
}

// Fixed returns the distribution of one length.
func Fixed(length time.Duration) Lengths {
	return Lengths{Kind: Discrete, Values: []time.Duration{length}}
}

// String names the kind and its figures.
func (l Lengths) String() string {
	switch l.Kind {
	case Discrete, Empirical:
		if len(l.Values) == 0 {
			return string(l.Kind) + " without values"
		}
		low, high := slices.Min(l.Values), slices.Max(l.Values)
		if low == high {
			return low.String() + " each"
		}
		return fmt.Sprintf("%s, %d values from %s to %s", l.Kind, len(l.Values), low, high)
	case Exponential:
		return fmt.Sprintf("%s with mean %s", l.Kind, l.Mean)
	case Lognormal:
		return fmt.Sprintf("%s with mean %s and standard deviation %s", l.Kind, l.Mean, l.SD)
	case Weibull, Pareto:
		return fmt.Sprintf("%s with scale %s and shape %s", l.Kind, l.Scale, number(l.Shape))
	}
	return fmt.Sprintf("unknown kind %q", string(l.Kind))
}

// sampler draws lengths. A list is drawn by its index, so that its values are
// exact.
type sampler struct {
	dist sample.Dist
	list []time.Duration
}

// draw returns a length from 0 to most. The distributions are not truncated, so
// that drawing has no error.
func (s *sampler) draw(src rand.Source, most int64) int64 {
	x, _ := s.dist.Draw(src)
	switch {
	case s.list != nil:
		return min(int64(s.list[int(x)]), most)
	case x >= float64(most):
		return most
	}
	return int64(math.Round(x))
}

func (l Lengths) sampler(path string) (*sampler, error) {
	problems := l.surplus(path)
	fail := func(field, value, want string, cause error) {
		problems = append(problems, &ModelError{Path: path + "." + field, Value: value, Want: want, Err: cause})
	}
	positive := func(field string, d time.Duration) {
		if d <= 0 {
			fail(field, d.String(), "a time above 0", nil)
		}
	}
	s := &sampler{}
	var err error
	switch l.Kind {
	case Discrete, Empirical:
		if len(l.Values) == 0 {
			fail("values_ns", "", "at least one length", nil)
		}
		for i, v := range l.Values {
			positive(fmt.Sprintf("values_ns[%d]", i), v)
		}
		if s.list = l.Values; len(problems) == 0 {
			s.dist, err = sample.Discrete(indices(len(l.Values)), l.weights())
		}
		if err != nil {
			fail("weights", fmt.Sprint(l.Weights), "a weight of 0 or more for each value, not all 0", err)
		}
	case Exponential:
		if positive("mean_ns", l.Mean); l.Mean > 0 {
			s.dist, err = sample.Exponential(float64(l.Mean))
		}
	case Lognormal:
		positive("mean_ns", l.Mean)
		if l.SD < 0 {
			fail("sd_ns", l.SD.String(), "0 or more", nil)
		}
		if len(problems) == 0 {
			s.dist, err = sample.Lognormal(float64(l.Mean), float64(l.SD))
		}
	case Weibull, Pareto:
		build := sample.Weibull
		if l.Kind == Pareto {
			build = sample.Pareto
		}
		if positive("scale_ns", l.Scale); l.Scale > 0 {
			if s.dist, err = build(float64(l.Scale), l.Shape); err != nil {
				fail("shape", number(l.Shape), "a number above 0, and not so small that lengths have no bound", err)
			}
		}
	default:
		fail("kind", string(l.Kind), "discrete, empirical, exponential, lognormal, weibull or pareto", nil)
	}
	if err != nil && len(problems) == 0 {
		fail("mean_ns", l.Mean.String(), "figures that the distribution can have", err)
	}
	return s, errors.Join(problems...)
}

// surplus refuses fields that the kind does not have.
func (l Lengths) surplus(path string) (problems []error) {
	list, mean := l.Kind == Discrete || l.Kind == Empirical, l.Kind == Exponential || l.Kind == Lognormal
	scaled := l.Kind == Weibull || l.Kind == Pareto
	for _, f := range []struct {
		name, value string
		surplus     bool
	}{
		{"mean_ns", l.Mean.String(), !mean && l.Mean != 0},
		{"sd_ns", l.SD.String(), l.Kind != Lognormal && l.SD != 0},
		{"scale_ns", l.Scale.String(), !scaled && l.Scale != 0},
		{"shape", number(l.Shape), !scaled && l.Shape != 0},
		{"values_ns", fmt.Sprint(l.Values), !list && len(l.Values) > 0},
		{"weights", fmt.Sprint(l.Weights), l.Kind != Discrete && len(l.Weights) > 0},
	} {
		if f.surplus && l.Kind != "" {
			problems = append(problems, &ModelError{Path: path + "." + f.name, Value: f.value, Want: "none for lengths of kind " + string(l.Kind)})
		}
	}
	return problems
}

// weights are those of the values.
func (l Lengths) weights() []float64 {
	if len(l.Weights) > 0 {
		return l.Weights
	}
	equal := make([]float64, len(l.Values))
	for i := range equal {
		equal[i] = 1
	}
	return equal
}

func indices(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)
	}
	return out
}
