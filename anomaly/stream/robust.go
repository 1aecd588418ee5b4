package stream

import (
	"math"
	"time"
	"unsafe"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// RobustOptions are the choices of [NewRobust]. The zero value is the default.
type RobustOptions struct {
	// HalfLife is the time in which the weight of a sample halves. Defaults to a day.
	HalfLife time.Duration
	// Threshold is the number of robust standard deviations at which the score is 1. Defaults
	// to 6: tails of measurements are longer than normal ones.
	Threshold float64
	// Warmup is how many samples are needed before any is judged. Defaults to 50.
	Warmup int
}

// Robust judges a sample by the median and the median absolute deviation of what came
// before, so that outliers do not move what they are judged by. Both are taken from a
// sketch that forgets, every sixteen samples. Where more than half of all values are equal
// a thousandth of the level stands for the deviation. It takes less than 2 KB. It is not safe
// for concurrent use. Make it with [NewRobust].
type Robust struct {
	o RobustOptions
	clock
	past           *sketch.Sketch
	seen           uint64
	faded          int64
	median, spread float64
}

// madToSigma makes a standard deviation of a median absolute deviation of a normal
// distribution: 1 / its upper quartile.
const madToSigma = 1.482602218505602

var robustOptions = sketch.Options{Compression: 64, Buffer: refreshEvery}

// NewRobust returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewRobust(o *RobustOptions) (*Robust, error) {
	if o == nil {
		o = &RobustOptions{}
	}
	switch {
	case o.HalfLife < 0:
		return nil, &OptionError{Option: "HalfLife", Value: o.HalfLife, Want: "at least 0"}
	case !(o.Threshold >= 0) || math.IsInf(o.Threshold, 1):
		return nil, &OptionError{Option: "Threshold", Value: o.Threshold, Want: "at least 0"}
	case o.Warmup < 0:
		return nil, &OptionError{Option: "Warmup", Value: o.Warmup, Want: "at least 0"}
	}
	r := &Robust{o: *o}
	if o.HalfLife == 0 {
		r.o.HalfLife = 24 * time.Hour
	}
	if o.Threshold == 0 {
		r.o.Threshold = 6
	}
	if o.Warmup == 0 {
		r.o.Warmup = 50
	}
	r.past, _ = sketch.New(&robustOptions)
	return r, nil
}

// Update judges a sample by those before and learns from it.
func (r *Robust) Update(at time.Time, x float64) Verdict {
	now := nanos(at)
	if _, state := r.take(now, x); state != 0 {
		return r.verdict(at, x, state)
	}
	v := r.verdict(at, x, Warming)
	if r.seen >= uint64(r.o.Warmup) {
		judgeDistance(&v, Level, r.median, r.spread, r.o.Threshold)
	}
	r.past.Add(x)
	r.seen++
	if r.seen%refreshEvery == 0 || r.seen == uint64(r.o.Warmup) {
		if r.faded != 0 {
			r.past.Decay(fade(now-r.faded, int64(r.o.HalfLife)))
		}
		r.faded = now
		r.median, r.spread = r.past.Quantile(0.5), madToSigma*r.past.MAD()
		if r.spread-r.spread != 0 {
			r.spread = math.MaxFloat64
		}
	}
	return v
}

// Pause does nothing: a median has no continuity to lose.
func (r *Robust) Pause() {}

// Size is the number of bytes that the detector takes.
func (r *Robust) Size() int { return int(unsafe.Sizeof(*r)) + r.past.Size() }

// AppendBinary appends the state, as [Bank.AppendBinary].
func (r *Robust) AppendBinary(data []byte) ([]byte, error) {
	return encode(data, kindRobust, r.fields)
}

// MarshalBinary returns the state.
func (r *Robust) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (r *Robust) UnmarshalBinary(data []byte) error {
	restored := *r
	if err := decode(data, kindRobust, restored.fields); err != nil {
		return err
	}
	*r = restored
	return nil
}

// fields lists the state.
func (r *Robust) fields(c *coder) {
	r.clock.fields(c)
	c.sketch(&r.past)
	c.uint64(&r.seen)
	c.int64(&r.faded)
	c.float(&r.median)
	c.float(&r.spread)
	c.require(r.spread >= 0, "at least 0", "a spread of %v", r.spread)
}
