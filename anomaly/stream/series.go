package stream

import (
	"math"
	"time"
	"unsafe"
)

// SeriesOptions are the choices of [NewSeries]. The zero value is the default.
type SeriesOptions struct {
	// Bank, Flatline, Gap and Alarm are the choices of the parts. Default to theirs.
	Bank     BankOptions
	Flatline FlatlineOptions
	Gap      GapOptions
	Alarm    AlarmOptions
	// Counter says that values are totals of a counter; judged is its rate per second.
	// Defaults to false.
	Counter bool
	// Excluded reports whether an instant belongs to a time that is neither judged nor
	// learnt, such as a maintenance. It has to answer the same every time. Defaults to never.
	Excluded func(at time.Time) bool
	// Expected returns what is usual at an instant, such as the center of a season's bin; of a
	// counter, of its rate. The bank then judges and learns the distance from it, and its
	// findings add it to what they observed and expected. Where ok is false, or the value is not
	// finite, nothing is usual: the bank neither judges nor learns the sample. It has to answer
	// the same every time, or what was learnt is of another distance. Defaults to none.
	Expected func(at time.Time) (value float64, ok bool)
}

// Series is everything that watches one series: a [Bank], a [Flatline] and a [Gap], of a
// counter its rate, and one [Alarm] over the worst of them. It takes less than 8.5 KB. It
// is not safe for concurrent use. Make it with [NewSeries].
type Series struct {
	counter  bool
	excluded func(at time.Time) bool
	expected func(at time.Time) (value float64, ok bool)
	paused   bool

	rate     Rate
	bank     Bank
	flatline Flatline
	gap      Gap
	alarm    Alarm
}

// Report is the answer of a series to one sample.
type Report struct {
	// Verdict is the worst of those of the parts.
	Verdict Verdict `json:"verdict"`
	// Transition says whether an episode began or ended, Episode which, or which one lasts.
	Transition Transition `json:"transition"`
	Episode    Episode    `json:"episode,omitzero"`
}

// NewSeries returns a series that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewSeries(o *SeriesOptions) (*Series, error) {
	if o == nil {
		o = &SeriesOptions{}
	}
	bank, err := NewBank(&o.Bank)
	if err != nil {
		return nil, err
	}
	flatline, err := NewFlatline(&o.Flatline)
	if err != nil {
		return nil, err
	}
	gap, err := NewGap(&o.Gap)
	if err != nil {
		return nil, err
	}
	alarm, err := NewAlarm(&o.Alarm)
	if err != nil {
		return nil, err
	}
	return &Series{
		counter: o.Counter, excluded: o.Excluded, expected: o.Expected,
		bank: *bank, flatline: *flatline, gap: *gap, alarm: *alarm,
	}, nil
}

// Update judges a sample and learns from it.
func (s *Series) Update(at time.Time, x float64) Report {
	if r, excluded := s.exclude(at, x); excluded {
		return r
	}
	gap := s.gap.Update(at, x)
	if s.counter {
		x = s.rate.Of(at, x)
	}
	v := s.judge(at, x, gap.State == Late)
	worse(&v, s.flatline.Update(at, x))
	worse(&v, gap)
	if gap.State == Late { // also where the bank has not looked at what came before
		v = gap
	}
	// The gap has seen the samples as they came, the bank of a counter its rates.
	v.Late, v.Repeated, v.Missing = gap.Late, gap.Repeated, gap.Missing
	return s.report(&v)
}

// judge gives the bank a sample, less what is expected.
func (s *Series) judge(at time.Time, x float64, late bool) Verdict {
	if s.expected == nil || late || !(math.Abs(x) <= maxValue) {
		return s.bank.Update(at, x)
	}
	usual, ok := s.expected(at)
	if !ok || !(math.Abs(usual) <= maxValue) {
		s.bank.Pause()
		return s.bank.verdict(at, x, Paused)
	}
	v := s.bank.Update(at, x-usual)
	v.Value = x
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Signal != 0 && f.Signal != ShortSpread && f.Signal != LongSpread { // spreads have no level
			f.Observed += usual
			f.Expected += usual
		}
	}
	return v
}

// Check judges that there is no sample up to an instant.
func (s *Series) Check(at time.Time) Report {
	if r, excluded := s.exclude(at, math.NaN()); excluded {
		return r
	}
	v := s.gap.Check(at)
	return s.report(&v)
}

// exclude answers for an instant that is neither judged nor learnt. Afterwards nothing
// continues what was before.
func (s *Series) exclude(at time.Time, x float64) (Report, bool) {
	if s.excluded == nil || !s.excluded(at) {
		if s.paused {
			s.paused = false
			s.gap.Resume(at)
		}
		return Report{}, false
	}
	if !s.paused {
		s.paused = true
		s.rate.Pause()
		s.bank.Pause()
		s.flatline.Pause()
		s.gap.Pause()
	}
	v := s.bank.verdict(at, x, Paused)
	return Report{Verdict: v, Episode: s.alarm.Episode()}, true
}

// report gives a verdict to the alarm.
func (s *Series) report(v *Verdict) Report {
	t, e := s.alarm.Update(v)
	return Report{Verdict: *v, Transition: t, Episode: e}
}

// worse keeps the verdict with the higher score. One that is anomalous goes before one that
// is not judged, any other does not.
func worse(v *Verdict, other Verdict) {
	if v.State == Late || other.State != Normal && other.State != Anomalous {
		return
	}
	judged := v.State == Normal || v.State == Anomalous
	if other.State == Anomalous && v.State != Anomalous ||
		judged && other.State == v.State && other.Score > v.Score {
		other.Value = v.Value
		*v = other
	}
}

// Size is the number of bytes that the series takes.
func (s *Series) Size() int {
	return int(unsafe.Sizeof(*s)-unsafe.Sizeof(s.bank)) + s.bank.Size()
}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (s *Series) AppendBinary(data []byte) ([]byte, error) {
	return encode(data, kindSeries, s.fields)
}

// MarshalBinary returns the state.
func (s *Series) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (s *Series) UnmarshalBinary(data []byte) error {
	restored := *s
	if err := decode(data, kindSeries, restored.fields); err != nil {
		return err
	}
	*s = restored
	return nil
}

// fields lists the state.
func (s *Series) fields(c *coder) {
	c.flag(&s.paused)
	s.rate.fields(c)
	s.bank.fields(c)
	s.flatline.fields(c)
	s.gap.fields(c)
	s.alarm.fields(c)
}
