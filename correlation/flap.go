package correlation

import (
	"fmt"
	"slices"
	"time"
)

// Frequency watches how often something happens, with two limits: it starts
// when at least High happenings lie in the window (t-Window, t], and ends when
// at most Low do. With the changes of one alert it detects flapping, with the
// onsets of many alerts a storm. Make one with [NewFrequency].
type Frequency struct {
	window    time.Duration
	high, low int
	times     []time.Time // in order, inside the window of the last call
	on        bool
}

// Limits are those of a [Frequency]. The zero value means that nothing is
// watched.
type Limits struct {
	Window time.Duration `json:"window_ns"`
	High   int           `json:"high"` // starts when so many lie in the window
	Low    int           `json:"low"`  // ends when no more than these do
}

// check returns an [*OptionError] under the name of the option that holds the limits.
func (l Limits) check(name string) error {
	if l.Window <= 0 || l.Low < 0 || l.Low >= l.High {
		return &OptionError{name, l, "Window > 0 and 0 <= Low < High"}
	}
	return nil
}

// NewFrequency returns a Frequency. The error is an [*OptionError] unless window > 0 and
// 0 <= low < high.
func NewFrequency(window time.Duration, high, low int) (*Frequency, error) {
	if err := (Limits{window, high, low}).check("limits"); err != nil {
		return nil, err
	}
	return &Frequency{window: window, high: high, low: low}, nil
}

// Add records one happening and returns whether the limits are crossed then.
// One that comes late counts from its own time.
func (f *Frequency) Add(at time.Time) bool {
	now := at
	if n := len(f.times); n > 0 && f.times[n-1].After(at) {
		now = f.times[n-1]
	}
	f.expire(now)
	n, _ := slices.BinarySearchFunc(f.times, at, func(a, b time.Time) int {
		if a.After(b) {
			return 1
		}
		return -1
	})
	f.times = slices.Insert(f.times, n, at)
	f.expire(now)
	f.on = f.on || len(f.times) >= f.high
	return f.on
}

// Active returns whether the limits are crossed at an instant, which must not
// be before those of earlier calls.
func (f *Frequency) Active(at time.Time) bool {
	f.expire(at)
	return f.on
}

// Count returns the happenings in the window that ends at an instant, which
// must not be before those of earlier calls.
func (f *Frequency) Count(at time.Time) int {
	f.expire(at)
	return len(f.times)
}

// next returns when the oldest happening leaves the window; false if there is
// none.
func (f *Frequency) next() (time.Time, bool) {
	if len(f.times) == 0 {
		return time.Time{}, false
	}
	return f.times[0].Add(f.window), true
}

// expire forgets what has left the window by an instant.
func (f *Frequency) expire(at time.Time) {
	from := at.Add(-f.window)
	n := 0
	for n < len(f.times) && !f.times[n].After(from) {
		n++
	}
	f.times = f.times[n:]
	if len(f.times) <= f.low {
		f.on = false
	}
}

// Flapping watches the changes of one alert with a [Frequency]. The first
// firing is a change, a repeated status is none.
type Flapping struct {
	f    *Frequency
	last Status
}

// NewFlapping returns a Flapping that starts at high changes in a window and
// ends at low; see [NewFrequency] for the limits.
func NewFlapping(window time.Duration, high, low int) (*Flapping, error) {
	f, err := NewFrequency(window, high, low)
	if err != nil {
		return nil, err
	}
	return &Flapping{f: f, last: Resolved}, nil
}

// Observe records a status and returns whether the alert flaps then.
func (f *Flapping) Observe(at time.Time, s Status) bool {
	if s == f.last {
		return f.f.Active(at)
	}
	f.last = s
	return f.f.Add(at)
}

// Active returns whether the alert flaps at an instant, which must not be
// before those of earlier calls.
func (f *Flapping) Active(at time.Time) bool { return f.f.Active(at) }

// FlapScheme is a way to weigh the last 20 changes of state, the newest most.
// The zero value is Nagios.
type FlapScheme uint8

// The schemes. Nagios (base/flapping.c) weighs them 0.75 to 1.25, starts at 30
// percent and ends below 20; Icinga 2 (checkable-flapping.cpp) weighs them 0.80
// to 1.18, starts above 30 and ends at 25 or below.
const (
	Nagios FlapScheme = iota
	Icinga
)

var schemeTexts = [...]string{Nagios: "nagios", Icinga: "icinga"}

// String returns the scheme in lower case.
func (s FlapScheme) String() string {
	if int(s) >= len(schemeTexts) {
		return fmt.Sprintf("FlapScheme(%d)", uint8(s))
	}
	return schemeTexts[s]
}

// MarshalText returns [FlapScheme.String]; an unknown scheme is an error.
func (s FlapScheme) MarshalText() ([]byte, error) {
	if int(s) >= len(schemeTexts) {
		return nil, fmt.Errorf("flap scheme %d, want one of %q", uint8(s), schemeTexts)
	}
	return []byte(schemeTexts[s]), nil
}

// UnmarshalText reads the texts of [FlapScheme.String].
func (s *FlapScheme) UnmarshalText(b []byte) error {
	n := slices.Index(schemeTexts[:], string(b))
	if n < 0 {
		return fmt.Errorf("flap scheme %q, want one of %q", b, schemeTexts)
	}
	*s = FlapScheme(n)
	return nil
}

// flapSamples is the number of states that both schemes look back on.
const flapSamples = 21

// flapParts is the number of parts that make one percent in weight.
func (s FlapScheme) flapParts() int {
	if s == Icinga {
		return 10 // 5*(0.80 + 0.02 i) = (40 + i)/10
	}
	return 76 // 5*(0.75 + 0.5 i/19) = 5*(57 + 2 i)/76
}

// weight is that of change i of 20, from 0 for the oldest, in parts.
func (s FlapScheme) weight(i int) int {
	if s == Icinga {
		return 40 + i
	}
	return 5 * (57 + 2*i)
}

// parts adds up the weights of the changes among up to 21 states, oldest
// first. States before the first are taken as equal to it.
func (s FlapScheme) parts(states []int) int {
	states = states[max(0, len(states)-flapSamples):]
	sum := 0
	for x := 1; x < len(states); x++ {
		if states[x] != states[x-1] {
			sum += s.weight(flapSamples - 1 - len(states) + x)
		}
	}
	return sum
}

// Percent returns the weighted share of changes among the last 21 states,
// oldest first: 100 * sum of the weights / 20.
func (s FlapScheme) Percent(states []int) float64 {
	return float64(s.parts(states)) / float64(s.flapParts())
}

// StateFlapping watches a series of check results. Make one with
// [NewStateFlapping].
type StateFlapping struct {
	scheme FlapScheme
	states []int
	on     bool
}

// NewStateFlapping returns a detector with the limits of a scheme.
// A scheme that is not known is an [*OptionError].
func NewStateFlapping(s FlapScheme) (*StateFlapping, error) {
	if s > Icinga {
		return nil, &OptionError{"scheme", s, "Nagios or Icinga"}
	}
	return &StateFlapping{scheme: s}, nil
}

// Observe records the state of one check, any number that tells states apart,
// and returns whether the series flaps.
func (f *StateFlapping) Observe(state int) bool {
	if len(f.states) == flapSamples {
		f.states = append(f.states[:0], f.states[1:]...)
	}
	f.states = append(f.states, state)
	p, one := f.scheme.parts(f.states), f.scheme.flapParts()
	switch {
	case f.scheme == Icinga && f.on:
		f.on = p > 25*one
	case f.scheme == Icinga:
		f.on = p > 30*one
	case f.on:
		f.on = p >= 20*one
	default:
		f.on = p >= 30*one
	}
	return f.on
}

// idle reports whether nothing but 0 has been seen in the states that count.
func (f *StateFlapping) idle() bool {
	return !f.on && !slices.ContainsFunc(f.states, func(s int) bool { return s != 0 })
}
