package stream

import (
	"math"
	"time"
)

// FlatlineOptions are the choices of [NewFlatline]. The zero value is the default.
type FlatlineOptions struct {
	// For is how long a value has to stay the same. Defaults to half an hour.
	For time.Duration
	// Within is the difference up to which a value counts as the same. Defaults to 0.
	Within float64
	// Evidence is how improbable that has to be by what is usual, in powers of ten, so that
	// series which seldom change are left alone. Defaults to 6.
	Evidence float64
	// HalfLife is that of what is usual. Defaults to a day.
	HalfLife time.Duration
	// Warmup is how many samples are needed before any is judged. Defaults to 50.
	Warmup int
}

// Flatline finds a value that is stuck, as of a sensor or an exporter that died, on a series
// that usually varies. With c being the share of samples that differ from the one before,
// a run of n equal ones has the probability (1-c)^n. A run is learnt when it ends. It takes
// less than 200 bytes. It is not safe for concurrent use. Make it with [NewFlatline].
type Flatline struct {
	o FlatlineOptions
	clock
	value float64 // of the run
	since int64   // the first sample of the run
	run   uint64  // samples in it, the first excluded
	has   bool
	// samples and changes have faded; up to when says faded.
	samples, changes float64
	faded            int64
	seen             uint64
}

// NewFlatline returns a detector that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewFlatline(o *FlatlineOptions) (*Flatline, error) {
	if o == nil {
		o = &FlatlineOptions{}
	}
	switch {
	case o.For < 0:
		return nil, &OptionError{Option: "For", Value: o.For, Want: "at least 0"}
	case !(o.Within >= 0):
		return nil, &OptionError{Option: "Within", Value: o.Within, Want: "at least 0"}
	case !(o.Evidence >= 0) || math.IsInf(o.Evidence, 1):
		return nil, &OptionError{Option: "Evidence", Value: o.Evidence, Want: "at least 0"}
	case o.HalfLife < 0:
		return nil, &OptionError{Option: "HalfLife", Value: o.HalfLife, Want: "at least 0"}
	case o.Warmup < 0:
		return nil, &OptionError{Option: "Warmup", Value: o.Warmup, Want: "at least 0"}
	}
	f := &Flatline{o: *o}
	if o.For == 0 {
		f.o.For = 30 * time.Minute
	}
	if o.Evidence == 0 {
		f.o.Evidence = 6
	}
	if o.HalfLife == 0 {
		f.o.HalfLife = 24 * time.Hour
	}
	if o.Warmup == 0 {
		f.o.Warmup = 50
	}
	return f, nil
}

// Update judges how long the value has been the same.
func (f *Flatline) Update(at time.Time, x float64) Verdict {
	now := nanos(at)
	if _, state := f.take(now, x); state != 0 {
		return f.verdict(at, x, state)
	}
	v := f.verdict(at, x, Warming)
	f.seen++
	if !f.has {
		f.value, f.since, f.run, f.has = x, now, 0, true
		return v
	}
	if math.Abs(x-f.value) <= f.o.Within {
		f.run++
	} else {
		f.end(now, 1)
		f.value, f.since, f.run = x, now, 0
	}
	if f.seen <= uint64(f.o.Warmup) || f.samples == 0 {
		return v
	}
	// One change more than seen and one sample that is none keep the share off 0 and 1.
	share := f.changes / (f.samples + 1)
	evidence := -float64(f.run) * math.Log1p(-share) / math.Ln10
	stuck := float64(max(0, now-f.since))
	v.Score = min(stuck/float64(f.o.For), evidence/f.o.Evidence)
	v.P = math.Pow(10, -evidence)
	v.State, v.Fresh = Normal, true
	if v.Score >= 1 {
		v.State = Anomalous
	}
	expected := math.NaN()
	if f.run > 0 && share > 0 {
		expected = stuck / float64(f.run) / share / float64(time.Second)
	}
	if f.run > 0 {
		v.Findings[0] = Finding{Signal: Stuck, Observed: stuck / float64(time.Second), Expected: expected, P: v.P}
	}
	return v
}

// end learns the run that ends, and whether a change ended it.
func (f *Flatline) end(now int64, changes float64) {
	if f.faded != 0 {
		keep := fade(now-f.faded, int64(f.o.HalfLife))
		f.samples *= keep
		f.changes *= keep
	}
	f.faded = now
	f.samples = min(most, f.samples+float64(f.run)+changes)
	f.changes = min(f.samples, f.changes+changes)
}

// Pause ends the run: whether the value changed meanwhile nobody knows.
func (f *Flatline) Pause() {
	if f.has {
		f.end(f.last, 0)
		f.has = false
	}
}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (f *Flatline) AppendBinary(data []byte) ([]byte, error) {
	return encode(data, kindFlatline, f.fields)
}

// MarshalBinary returns the state.
func (f *Flatline) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (f *Flatline) UnmarshalBinary(data []byte) error {
	restored := *f
	if err := decode(data, kindFlatline, restored.fields); err != nil {
		return err
	}
	*f = restored
	return nil
}

// fields lists the state.
func (f *Flatline) fields(c *coder) {
	f.clock.fields(c)
	c.float(&f.value)
	c.int64(&f.since)
	c.uint64(&f.run)
	c.flag(&f.has)
	c.float(&f.samples)
	c.float(&f.changes)
	c.require(f.changes >= 0 && f.samples >= f.changes && f.samples <= most, "at most as many", "%v changes in %v samples", f.changes, f.samples)
	c.int64(&f.faded)
	c.uint64(&f.seen)
}
