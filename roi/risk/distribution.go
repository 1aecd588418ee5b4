package risk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

// Kind names a distribution.
type Kind string

// The distributions, with the fields of [Distribution] that each has.
const (
	// Constant is Value with certainty.
	Constant Kind = "constant"
	// Uniform is flat from Min to Max.
	Uniform Kind = "uniform"
	// Triangular rises from Min to Mode and falls to Max, in straight lines.
	Triangular Kind = "triangular"
	// PERT is the beta distribution of three-point estimates on Min, Mode and Max
	// (Malcolm, Roseboom, Clark and Fazar, Operations Research 7, 1959), with the
	// usual weight of 4 on the mode: mean (Min + 4·Mode + Max) / 6.
	PERT Kind = "pert"
	// Normal is the Gaussian with Mean and SD.
	Normal Kind = "normal"
	// Lognormal has the Mean and the standard deviation SD itself, not those of
	// its logarithm.
	Lognormal Kind = "lognormal"
	// Discrete takes Values[i] with probability Weights[i]/ΣWeights.
	Discrete Kind = "discrete"
	// Empirical draws from Values, each equally likely: what was seen.
	Empirical Kind = "empirical"
)

// fieldsOf lists the distributions and the fields that they have.
var fieldsOf = map[Kind][]string{
	Constant:   {"value"},
	Uniform:    {"min", "max"},
	Triangular: {"min", "mode", "max"},
	PERT:       {"min", "mode", "max"},
	Normal:     {"mean", "sd"},
	Lognormal:  {"mean", "sd"},
	Discrete:   {"values", "weights"},
	Empirical:  {"values"},
}

// Distribution is what is known about a number that is not certain. It is data:
// write it as a literal. Fields that its kind does not have must be 0 or empty.
type Distribution struct {
	Kind Kind `json:"kind"`

	Value float64 `json:"value,omitempty"`
	Min   float64 `json:"min,omitempty"`
	Mode  float64 `json:"mode,omitempty"`
	Max   float64 `json:"max,omitempty"`
	Mean  float64 `json:"mean,omitempty"`
	SD    float64 `json:"sd,omitempty"`

	Values  []float64 `json:"values,omitempty"`
	Weights []float64 `json:"weights,omitempty"`

	// From and UpTo keep only the values between them, both included, by drawing
	// again, at most 10 000 times; a nil one leaves its side open.
	From *float64 `json:"from,omitempty"`
	UpTo *float64 `json:"up_to,omitempty"`

	// Sum makes a value of so many independent draws, added up: twelve for a
	// year of what is known by the month. The bounds are those of a single draw.
	// Defaults to 1; at most MaxSum.
	Sum int `json:"sum,omitempty"`
}

// MaxSum is the largest [Distribution.Sum].
const MaxSum = 1000

// Validate checks all parameters. The error is an [*InputError] with the path of
// the field, such as "max".
func (d Distribution) Validate() error {
	_, err := d.sampler("")
	return err
}

// sampler draws from a distribution with checked parameters.
type sampler struct {
	dist sample.Dist
	sum  int
}

func (d *Distribution) sampler(path string) (sampler, error) {
	at := func(field string) string {
		if path == "" {
			return field
		}
		return path + "." + field
	}
	has, ok := fieldsOf[d.Kind]
	if !ok {
		want := "constant, uniform, triangular, pert, normal, lognormal, discrete or empirical"
		return sampler{}, &InputError{Path: at("kind"), Value: string(d.Kind), Want: want}
	}
	for _, f := range []struct {
		name, value string
		set         bool
	}{
		{"value", number(d.Value), d.Value != 0},
		{"min", number(d.Min), d.Min != 0},
		{"mode", number(d.Mode), d.Mode != 0},
		{"max", number(d.Max), d.Max != 0},
		{"mean", number(d.Mean), d.Mean != 0},
		{"sd", number(d.SD), d.SD != 0},
		{"values", fmt.Sprint(d.Values), len(d.Values) > 0},
		{"weights", fmt.Sprint(d.Weights), len(d.Weights) > 0},
	} {
		if f.set && !slices.Contains(has, f.name) {
			return sampler{}, &InputError{Path: at(f.name), Value: f.value, Want: "nothing, as the distribution is " + string(d.Kind)}
		}
	}
	if d.Sum < 0 || d.Sum > MaxSum {
		return sampler{}, &InputError{Path: at("sum"), Value: strconv.Itoa(d.Sum), Want: "1 to " + strconv.Itoa(MaxSum)}
	}
	dist, err := d.dist()
	if err == nil && (d.From != nil || d.UpTo != nil) {
		dist, err = truncate(dist, d.From, d.UpTo)
	}
	if err != nil {
		return sampler{}, &InputError{Path: at("kind"), Value: string(d.Kind), Want: "parameters that make a distribution", Err: err}
	}
	return sampler{dist, max(d.Sum, 1)}, nil
}

func (d *Distribution) dist() (sample.Dist, error) {
	switch d.Kind {
	case Uniform:
		return sample.Uniform(d.Min, d.Max)
	case Triangular:
		return sample.Triangular(d.Min, d.Mode, d.Max)
	case PERT:
		return sample.PERT(d.Min, d.Mode, d.Max)
	case Normal:
		return sample.Normal(d.Mean, d.SD)
	case Lognormal:
		return sample.Lognormal(d.Mean, d.SD)
	case Discrete:
		return sample.Discrete(d.Values, d.Weights)
	case Empirical:
		return sample.Empirical(d.Values)
	default:
		return sample.Constant(d.Value)
	}
}

func truncate(dist sample.Dist, from, upTo *float64) (sample.Dist, error) {
	lo, hi := negativeInfinity, positiveInfinity
	if from != nil {
		lo = *from
	}
	if upTo != nil {
		hi = *upTo
	}
	return dist.Truncate(lo, hi)
}

// fill draws a column.
func (s *sampler) fill(column []float64, src *rand.PCG) error {
	for i := range column {
		total := 0.0
		for range s.sum {
			v, err := s.dist.Draw(src)
			if err != nil {
				return err
			}
			total += v
		}
		column[i] = total
	}
	return nil
}
