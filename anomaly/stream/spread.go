package stream

import (
	"math"
	"time"
)

// SpreadOptions are the choices of [NewSpread]. The zero value is the default.
type SpreadOptions struct {
	// Short and Long are the half-lives of the present and of the usual deviation. Default to
	// half an hour and a day. Short has to be less than Long.
	Short, Long time.Duration
	// Threshold is the number of standard errors of the logarithm of the ratio at which the
	// score is 1. Defaults to 6.
	Threshold float64
	// Warmup is how many samples are needed before any is judged. Defaults to 100.
	Warmup int
}

// Spread finds a series that becomes restless, or quiet, while its level stays: the variance
// of late beside the usual one. For independent normal samples the logarithm of the ratio
// has the standard error sqrt(2/n + 2/m), n and m being the numbers of samples that the
// weights are worth. Both variances are of the differences from sample to sample, which a
// level that drifts leaves alone. It takes less than 600 bytes. It is not safe for
// concurrent use. Make it with [NewSpread].
type Spread struct {
	o           SpreadOptions
	short, long EWMA // of squared differences
	prev        float64
	hasPrev     bool
}

// NewSpread returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewSpread(o *SpreadOptions) (*Spread, error) {
	if o == nil {
		o = &SpreadOptions{}
	}
	s := &Spread{o: *o}
	if o.Short == 0 {
		s.o.Short = 30 * time.Minute
	}
	if o.Long == 0 {
		s.o.Long = 24 * time.Hour
	}
	switch {
	case s.o.Short < 0 || s.o.Short >= s.o.Long:
		return nil, &OptionError{Option: "Short", Value: o.Short, Want: "more than 0, less than Long"}
	case !(o.Threshold >= 0) || math.IsInf(o.Threshold, 1):
		return nil, &OptionError{Option: "Threshold", Value: o.Threshold, Want: "at least 0"}
	case o.Warmup < 0:
		return nil, &OptionError{Option: "Warmup", Value: o.Warmup, Want: "at least 0"}
	}
	if o.Threshold == 0 {
		s.o.Threshold = 6
	}
	if o.Warmup == 0 {
		s.o.Warmup = 100
	}
	short, err := NewEWMA(&EWMAOptions{HalfLife: s.o.Short})
	if err != nil {
		return nil, err
	}
	long, err := NewEWMA(&EWMAOptions{HalfLife: s.o.Long})
	if err != nil {
		return nil, err
	}
	s.short, s.long = *short, *long
	return s, nil
}

// Update judges the spread up to a sample and learns from it.
func (s *Spread) Update(at time.Time, x float64) Verdict {
	now := nanos(at)
	elapsed, state := s.long.take(now, x)
	if state != 0 {
		return s.long.verdict(at, x, state)
	}
	s.short.last, s.short.started = now, true
	v := s.long.verdict(at, x, Warming)
	d := x - s.prev
	first := !s.hasPrev
	s.prev, s.hasPrev = x, true
	if square := d * d; !first && square-square == 0 {
		s.short.learn(elapsed, square)
		if s.long.seen >= uint64(s.o.Warmup) {
			s.judge(&v)
		}
		s.long.learn(elapsed, square)
	}
	return v
}

// judge compares both variances. Differences of independent samples are correlated with
// their neighbours, by which a variance of them is worth two thirds of its number.
func (s *Spread) judge(v *Verdict) {
	floor := 1e-3 * s.prev * 1e-3 * s.prev
	short, long := s.short.mean+floor+1e-300, s.long.mean+floor+1e-300
	worth := func(e *EWMA) float64 { return e.sum * e.sum / e.squares * 2 / 3 }
	z := math.Abs(math.Log(short/long)) / math.Sqrt(2/worth(&s.short)+2/worth(&s.long))
	if z-z != 0 {
		return
	}
	v.Score, v.P = z/s.o.Threshold, math.Erfc(z/math.Sqrt2)
	v.State, v.Fresh = Normal, true
	if v.Score >= 1 {
		v.State = Anomalous
	}
	// A difference has twice the variance of a sample.
	v.Findings[0] = Finding{Signal: ShortSpread, Observed: math.Sqrt(s.short.mean / 2), Expected: math.Sqrt(s.long.mean / 2), P: v.P}
}

// Pause says that the next sample does not continue the last.
func (s *Spread) Pause() { s.hasPrev = false }

// AppendBinary appends the state, as [Bank.AppendBinary].
func (s *Spread) AppendBinary(data []byte) ([]byte, error) {
	return encode(data, kindSpread, s.fields)
}

// MarshalBinary returns the state.
func (s *Spread) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (s *Spread) UnmarshalBinary(data []byte) error {
	restored := *s
	if err := decode(data, kindSpread, restored.fields); err != nil {
		return err
	}
	*s = restored
	return nil
}

// fields lists the state.
func (s *Spread) fields(c *coder) {
	s.short.fields(c)
	s.long.fields(c)
	c.float(&s.prev)
	c.flag(&s.hasPrev)
}
