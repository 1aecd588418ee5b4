package stream

import (
	"math"
	"time"
)

// EWMAOptions are the choices of [NewEWMA]. The zero value is the default.
type EWMAOptions struct {
	// HalfLife is the time in which the weight of a sample halves. Defaults to an hour, unless
	// Alpha is set.
	HalfLife time.Duration
	// Alpha, more than 0 and at most 1, makes weights fade by samples instead of by time: by the
	// factor 1 - Alpha each. That is for comparison with other programs; on a slow series it
	// remembers long. Defaults to 0, which is by time.
	Alpha float64
	// Recursive gives the first sample the weight of all the infinite past, and with Alpha
	// every later one the weight Alpha. Defaults to false: weights of samples alone.
	Recursive bool
	// SkipMissing lets missing values not age the weights, with Alpha. Defaults to false.
	SkipMissing bool
	// Threshold is the number of standard deviations at which the score is 1. Defaults to 5.
	Threshold float64
	// Warmup is how many samples are needed before any is judged. Defaults to 30.
	Warmup int
}

// EWMA judges a sample by exponentially weighted mean and standard deviation. The mean and
// variances are those of pandas:
//
//	mean     = sum w x / sum w
//	variance = sum w (x - mean)^2 / sum w, times W^2 / (W^2 - sum w^2) if unbiased
//
// with weights w = 0.5^(age / half-life), or (1-alpha)^(age in samples). It is blind to
// seasons and drowns in them; it is there because it is cheap and known. It takes about
// 200 bytes. It is not safe for concurrent use. Make it with [NewEWMA].
type EWMA struct {
	o EWMAOptions
	clock
	seen uint64
	// weight is that of the old samples in the mean, sum and squares those of weights and of
	// their squares.
	weight, sum, squares float64
	mean, variance       float64
}

// NewEWMA returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewEWMA(o *EWMAOptions) (*EWMA, error) {
	if o == nil {
		o = &EWMAOptions{}
	}
	e := &EWMA{o: *o}
	switch {
	case o.HalfLife < 0:
		return nil, &OptionError{Option: "HalfLife", Value: o.HalfLife, Want: "at least 0"}
	case !(o.Alpha >= 0 && o.Alpha <= 1):
		return nil, &OptionError{Option: "Alpha", Value: o.Alpha, Want: "0 to 1"}
	case o.Alpha > 0 && o.HalfLife > 0:
		return nil, &OptionError{Option: "Alpha", Value: o.Alpha, Want: "0 beside a half-life"}
	case !(o.Threshold >= 0) || math.IsInf(o.Threshold, 1):
		return nil, &OptionError{Option: "Threshold", Value: o.Threshold, Want: "at least 0"}
	case o.Warmup < 0:
		return nil, &OptionError{Option: "Warmup", Value: o.Warmup, Want: "at least 0"}
	}
	if o.Alpha == 0 && o.HalfLife == 0 {
		e.o.HalfLife = time.Hour
	}
	if o.Threshold == 0 {
		e.o.Threshold = 5
	}
	if o.Warmup == 0 {
		e.o.Warmup = 30
	}
	return e, nil
}

// Mean returns the weighted mean, NaN before the first value.
func (e *EWMA) Mean() float64 {
	if e.seen == 0 {
		return math.NaN()
	}
	return e.mean
}

// Variance returns the weighted variance, biased towards 0; NaN before the first value.
func (e *EWMA) Variance() float64 {
	if e.seen == 0 {
		return math.NaN()
	}
	return e.variance
}

// UnbiasedVariance returns the weighted variance, corrected for the number of values that
// the weights are worth; NaN while that is one.
func (e *EWMA) UnbiasedVariance() float64 {
	all := e.sum * e.sum
	if e.seen == 0 || !(all-e.squares > 0) {
		return math.NaN()
	}
	return e.variance * all / (all - e.squares)
}

// Update judges a sample by those before and learns from it.
func (e *EWMA) Update(at time.Time, x float64) Verdict {
	elapsed, state := e.take(nanos(at), x)
	if state != 0 {
		if state == NoData && e.o.Alpha > 0 && !e.o.SkipMissing {
			e.age(1 - e.o.Alpha)
		}
		return e.verdict(at, x, state)
	}
	v := e.verdict(at, x, Warming)
	if e.seen >= uint64(e.o.Warmup) {
		sd := math.Sqrt(max(0, e.UnbiasedVariance()))
		if sd-sd == 0 {
			judgeDistance(&v, Level, e.mean, sd, e.o.Threshold)
		}
	}
	e.learn(elapsed, x)
	return v
}

// judgeDistance scores the distance from what is expected in standard deviations. On a line
// that never moved a hair counts as one: a thousandth of the level.
func judgeDistance(v *Verdict, s Signal, expected, sd, threshold float64) {
	sd = max(sd, 1e-3*math.Abs(expected), 1e-12)
	z := math.Abs(v.Value-expected) / sd
	v.Score = z / threshold
	v.P = math.Erfc(z / math.Sqrt2)
	v.State, v.Fresh = Normal, true
	if v.Score >= 1 {
		v.State = Anomalous
	}
	v.Findings[0] = Finding{Signal: s, Observed: v.Value, Expected: expected, P: v.P}
}

// age lets weights fade by a factor.
func (e *EWMA) age(factor float64) {
	e.weight *= factor
	e.sum *= factor
	e.squares *= factor * factor
}

// learn takes a value into mean and variance.
func (e *EWMA) learn(elapsed int64, x float64) {
	e.seen++
	if e.seen == 1 {
		e.mean, e.weight, e.sum, e.squares = x, 1, 1, 1
		return
	}
	fresh := 1.0
	if e.o.Alpha > 0 {
		e.age(1 - e.o.Alpha)
		if e.o.Recursive {
			fresh = e.o.Alpha
		}
	} else {
		factor := math.Exp2(-float64(elapsed) / float64(e.o.HalfLife))
		e.age(factor)
		if e.o.Recursive {
			fresh = 1 - factor
		}
	}
	total := e.weight + fresh
	if total == 0 { // two samples of one instant, weighed by time
		return
	}
	old := e.mean
	e.mean = (e.weight*old + fresh*x) / total
	e.variance = (e.weight*(e.variance+(old-e.mean)*(old-e.mean)) + fresh*(x-e.mean)*(x-e.mean)) / total
	e.sum += fresh
	e.squares += fresh * fresh
	e.weight += fresh
	e.weight, e.sum, e.squares = min(e.weight, most), min(e.sum, most), min(e.squares, most)
	if e.o.Recursive {
		e.sum /= e.weight
		e.squares /= e.weight * e.weight
		e.weight = 1
	}
	if e.mean-e.mean != 0 || e.variance-e.variance != 0 { // values too large to be squared
		e.seen, e.mean, e.variance = 0, 0, 0
	}
}

// Pause does nothing: a mean has no continuity to lose.
func (e *EWMA) Pause() {}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (e *EWMA) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindEWMA, e.fields) }

// MarshalBinary returns the state.
func (e *EWMA) MarshalBinary() ([]byte, error) { return e.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (e *EWMA) UnmarshalBinary(data []byte) error {
	restored := *e
	if err := decode(data, kindEWMA, restored.fields); err != nil {
		return err
	}
	*e = restored
	return nil
}

// most bounds the weights of a state: more samples than anybody has.
const most = 1e15

// fields lists the state.
func (e *EWMA) fields(c *coder) {
	e.clock.fields(c)
	c.uint64(&e.seen)
	for _, v := range []*float64{&e.weight, &e.sum, &e.squares} {
		c.float(v)
		c.require(*v >= 0 && *v <= most, "0 to 1e15", "a weight of %v", *v)
	}
	c.float(&e.mean)
	c.float(&e.variance)
	c.require(e.variance >= 0, "at least 0", "a variance of %v", e.variance)
}
