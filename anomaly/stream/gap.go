package stream

import (
	"math"
	"time"
)

// GapOptions are the choices of [NewGap]. The zero value is the default.
type GapOptions struct {
	// Step is the usual time between samples. Defaults to the median of the first fifteen
	// distances.
	Step time.Duration
	// Steps is the number of steps without a value at which the score is 1. Defaults to 3: one
	// scrape may fail.
	Steps float64
}

// Gap finds samples that do not come. Update tells it of one that did, and judges the time
// before it; Check judges the time up to an instant without one. A value that is missing is
// no value. It takes less than 300 bytes. It is not safe for concurrent use. Make it with
// [NewGap].
type Gap struct {
	o GapOptions
	clock
	stepper
	held bool // the time since the last value does not count, that from an instant on does
	from int64
}

// stepper learns the usual time between samples.
type stepper struct {
	step   int64
	steps  [stepSamples]int64
	nSteps uint8
}

// learn takes the median of the first distances and reports whether this was the last
// it needed.
func (s *stepper) learn(elapsed int64) bool {
	if s.step > 0 || elapsed <= 0 {
		return false
	}
	i := s.nSteps
	for ; i > 0 && s.steps[i-1] > elapsed; i-- {
		s.steps[i] = s.steps[i-1]
	}
	s.steps[i] = elapsed
	if s.nSteps++; s.nSteps < stepSamples {
		return false
	}
	s.step = s.steps[stepSamples/2]
	return true
}

// fields lists the state. given is the step of the options, which goes before that of a
// state; 0 if there is none.
func (s *stepper) fields(c *coder, given int64) {
	c.int64(&s.step)
	c.require(s.step >= 0, "at least 0", "a step of %d", s.step)
	if given > 0 {
		s.step = given
	}
	c.byte(&s.nSteps, stepSamples)
	for i := range s.steps {
		c.int64(&s.steps[i])
		c.require(s.steps[i] > 0 || i >= int(s.nSteps), "more than 0", "a distance of %d", s.steps[i])
	}
	c.require(s.step > 0 || s.nSteps < stepSamples, "a step", "distances without a step")
}

// NewGap returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewGap(o *GapOptions) (*Gap, error) {
	if o == nil {
		o = &GapOptions{}
	}
	switch {
	case o.Step < 0:
		return nil, &OptionError{Option: "Step", Value: o.Step, Want: "at least 0"}
	case !(o.Steps >= 0) || math.IsInf(o.Steps, 1):
		return nil, &OptionError{Option: "Steps", Value: o.Steps, Want: "at least 0"}
	}
	g := &Gap{o: *o}
	if o.Steps == 0 {
		g.o.Steps = 3
	}
	g.step = int64(o.Step)
	return g, nil
}

// Step returns the usual time between samples, 0 until it is known.
func (g *Gap) Step() time.Duration { return time.Duration(g.step) }

// Update judges the time since the last value and begins anew.
func (g *Gap) Update(at time.Time, x float64) Verdict {
	now := nanos(at)
	elapsed, state := g.take(now, x)
	switch {
	case state == NoData:
		if v := g.Check(at); v.State == Anomalous {
			v.Value = x
			return v
		}
		return g.verdict(at, x, NoData)
	case state != 0:
		return g.verdict(at, x, state)
	}
	v := g.judge(at, x, elapsed)
	if !g.held {
		g.learn(elapsed)
	}
	g.held, g.from = false, 0
	return v
}

// Check judges the time since the last value up to an instant at which there is none.
func (g *Gap) Check(at time.Time) Verdict {
	now := nanos(at)
	if !g.started || now < g.last {
		return g.verdict(at, math.NaN(), Warming)
	}
	elapsed := now - g.last
	if elapsed < 0 {
		elapsed = math.MaxInt64
	}
	return g.judge(at, math.NaN(), elapsed)
}

// judge scores a time without a value.
func (g *Gap) judge(at time.Time, x float64, elapsed int64) Verdict {
	v := g.verdict(at, x, Warming)
	if g.step == 0 {
		return v
	}
	if g.held {
		elapsed = 0
		if g.from != 0 {
			elapsed = max(0, nanos(at)-g.from)
		}
	}
	v.State, v.Fresh, v.Score = Normal, true, float64(elapsed)/(float64(g.step)*g.o.Steps)
	if v.Score >= 1 {
		v.State = Anomalous
	}
	v.Findings[0] = Finding{
		Signal:   Silence,
		Observed: time.Duration(elapsed).Seconds(), Expected: time.Duration(g.step).Seconds(), P: math.NaN(),
	}
	return v
}

// Pause says that until the next value, or Resume, none is expected.
func (g *Gap) Pause() { g.held, g.from = true, 0 }

// Resume says that after a pause values are expected from an instant on.
func (g *Gap) Resume(at time.Time) {
	if g.held && g.from == 0 {
		g.from = nanos(at)
	}
}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (g *Gap) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindGap, g.fields) }

// MarshalBinary returns the state.
func (g *Gap) MarshalBinary() ([]byte, error) { return g.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (g *Gap) UnmarshalBinary(data []byte) error {
	restored := *g
	if err := decode(data, kindGap, restored.fields); err != nil {
		return err
	}
	*g = restored
	return nil
}

// fields lists the state.
func (g *Gap) fields(c *coder) {
	g.clock.fields(c)
	g.stepper.fields(c, int64(g.o.Step))
	c.flag(&g.held)
	c.int64(&g.from)
}
