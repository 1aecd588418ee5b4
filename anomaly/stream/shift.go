package stream

import (
	"math"
	"time"
)

// ShiftOptions are the choices of [NewShift]. The zero value is the default.
type ShiftOptions struct {
	// HalfLife is that of the usual level and its deviation. Defaults to a day.
	HalfLife time.Duration
	// Slack is the part of a shift that is not summed, in standard deviations: half of the
	// smallest shift that is to be found. Defaults to 0.5.
	Slack float64
	// Limit is the sum at which the score is 1. Defaults to 10, at which independent normal
	// samples make a false alarm in 70 000 and a shift of one standard deviation is found
	// after 20.
	Limit float64
	// Warmup is how many samples are needed before any is judged. Defaults to 100.
	Warmup int
}

// Shift finds a level that moved by little and stays there, which no single sample shows, by
// two cumulative sums (Page, Continuous Inspection Schemes, 1954), one up and one down:
//
//	s = max(0, s + z - slack), z = (x - mean) / deviation
//
// which is the test of Page and Hinkley, too, for that subtracts the least of its sum so far
// instead of stopping at 0. A shift that lasts becomes what is usual, by the half-life.
// Single values count for four deviations at most, so that a spike is no shift. It takes less
// than 400 bytes. It is not safe for concurrent use. Make it with [NewShift].
type Shift struct {
	o        ShiftOptions
	usual    EWMA
	up, down float64
	// sinceUp and sinceDown count samples since each sum was 0.
	sinceUp, sinceDown uint64
}

// maxShiftZ is how many deviations one sample counts for at most.
const maxShiftZ = 4

// NewShift returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewShift(o *ShiftOptions) (*Shift, error) {
	if o == nil {
		o = &ShiftOptions{}
	}
	s := &Shift{o: *o}
	switch {
	case o.HalfLife < 0:
		return nil, &OptionError{Option: "HalfLife", Value: o.HalfLife, Want: "at least 0"}
	case !(o.Slack >= 0 && o.Slack < maxShiftZ):
		return nil, &OptionError{Option: "Slack", Value: o.Slack, Want: "0 to 4"}
	case !(o.Limit >= 0) || math.IsInf(o.Limit, 1):
		return nil, &OptionError{Option: "Limit", Value: o.Limit, Want: "at least 0"}
	case o.Warmup < 0:
		return nil, &OptionError{Option: "Warmup", Value: o.Warmup, Want: "at least 0"}
	}
	if o.HalfLife == 0 {
		s.o.HalfLife = 24 * time.Hour
	}
	if o.Slack == 0 {
		s.o.Slack = 0.5
	}
	if o.Limit == 0 {
		s.o.Limit = 10
	}
	if o.Warmup == 0 {
		s.o.Warmup = 100
	}
	usual, err := NewEWMA(&EWMAOptions{HalfLife: s.o.HalfLife})
	if err != nil {
		return nil, err
	}
	s.usual = *usual
	return s, nil
}

// Update judges the level up to a sample and learns from it.
func (s *Shift) Update(at time.Time, x float64) Verdict {
	elapsed, state := s.usual.take(nanos(at), x)
	if state != 0 {
		return s.usual.verdict(at, x, state)
	}
	v := s.usual.verdict(at, x, Warming)
	if s.usual.seen < uint64(s.o.Warmup) {
		s.usual.learn(elapsed, x)
		return v
	}
	mean := s.usual.mean
	sd := max(math.Sqrt(max(0, s.usual.variance)), 1e-3*math.Abs(mean), 1e-12)
	z := min(max((x-mean)/sd, -maxShiftZ), maxShiftZ)
	step(&s.up, &s.sinceUp, z-s.o.Slack, 2*s.o.Limit)
	step(&s.down, &s.sinceDown, -z-s.o.Slack, 2*s.o.Limit)
	sum, since, sign := s.up, s.sinceUp, 1.0
	if s.down > sum {
		sum, since, sign = s.down, s.sinceDown, -1.0
	}
	v.Score = sum / s.o.Limit
	v.P = s.chance(sum)
	v.State, v.Fresh = Normal, true
	if v.Score >= 1 {
		v.State = Anomalous
	}
	// The new level as the sum tells it (Montgomery, Introduction to Statistical Quality
	// Control, section on the tabular cusum).
	level := mean
	if since > 0 {
		level += sign * sd * (s.o.Slack + sum/float64(since))
	}
	v.Findings[0] = Finding{Signal: Drift, Observed: level, Expected: mean, P: v.P}
	s.usual.learn(elapsed, mean+z*sd)
	return v
}

// step adds to a sum that stays between 0 and a bound, so that it comes back in time.
func step(sum *float64, since *uint64, by, most float64) {
	*sum = min(max(0, *sum+by), most)
	*since++
	if *sum == 0 {
		*since = 0
	}
}

// chance is one in the number of samples after which a sum gets that far by chance, on both
// sides together (Siegmund, Sequential Analysis, 1985, as an approximation for normal samples):
//
//	(exp(2 k b) - 2 k b - 1) / (2 k^2), b = sum + 1.166
//
// which is b^2 for small k, where the formula loses its digits.
func (s *Shift) chance(sum float64) float64 {
	k, b := s.o.Slack, sum+1.166
	if k*b < 1e-6 {
		return min(1, 2/(b*b))
	}
	return min(1, 2/((math.Expm1(2*k*b)-2*k*b)/(2*k*k)))
}

// Pause forgets what the sums have gathered. What is usual is kept.
func (s *Shift) Pause() { s.up, s.down, s.sinceUp, s.sinceDown = 0, 0, 0, 0 }

// AppendBinary appends the state, as [Bank.AppendBinary].
func (s *Shift) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindShift, s.fields) }

// MarshalBinary returns the state.
func (s *Shift) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (s *Shift) UnmarshalBinary(data []byte) error {
	restored := *s
	if err := decode(data, kindShift, restored.fields); err != nil {
		return err
	}
	*s = restored
	return nil
}

// fields lists the state.
func (s *Shift) fields(c *coder) {
	s.usual.fields(c)
	c.float(&s.up)
	c.float(&s.down)
	c.require(s.up >= 0 && s.down >= 0, "at least 0", "sums of %v and %v", s.up, s.down)
	c.uint64(&s.sinceUp)
	c.uint64(&s.sinceDown)
}
