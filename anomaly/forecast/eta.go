package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// State says what is known about an exhaustion.
type State uint8

// The zero value is unknown.
const (
	// Unknown means that there are fewer than 8 values, that they span less than a tenth
	// of the time to the date found, or that clean-ups leave too little to see a growth.
	Unknown State = iota
	// OK means that the limit will be reached, about at Median.
	OK
	// Never means that the values do not grow toward the limit: the 90 % interval of the
	// slope touches 0, or most dates are more than a century away.
	Never
	// Already means that the last value is at the limit or beyond.
	Already
)

var stateNames = []string{"unknown", "ok", "never", "already"}

// String returns "unknown", "ok", "never" or "already".
func (s State) String() string { return enum.String(stateNames, "State", uint8(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) {
	return enum.Text(stateNames, "forecast", "state", uint8(s))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(text []byte) error {
	n, err := enum.Parse(stateNames, "forecast", "state", text)
	*s = State(n)
	return err
}

// Limit is what the values must not reach from an instant on.
type Limit struct {
	// From is the instant from which Value counts. The first limit counts before it too.
	From  time.Time `json:"from"`
	Value float64   `json:"value"`
}

// ETAOptions tune [Exhaustion]. The zero value, or nil, has the defaults.
type ETAOptions struct {
	// Falling is for stocks that run out at the limit: quotas, credit, days of a
	// certificate, mostly with the limit 0. Defaults to values that grow to it.
	Falling bool
	// Counter is for values that only grow but begin again from 0 at a restart; the
	// limit is one of the sum of all growth. Defaults to values that mean what they say.
	Counter bool
	// Later are limits from other instants on, in order: disks that were extended, and
	// those that will be. The values must be in the unit of the limits; percentages of a
	// capacity that changes are not. Defaults to none.
	Later []Limit
	// Seed chooses the random draws. The same seed gives the same answer.
	Seed uint64
	// Draws is the number of histories that are drawn, 20 to 10 000. Defaults to 200.
	Draws int
}

// ETA says when a resource is exhausted.
type ETA struct {
	State State `json:"state"`
	// Median is the date before which the exhaustion comes with probability 1/2;
	// Earliest and Latest hold 90 % between them. All are nil where a date would be
	// more than a century away, and if nothing is known.
	Median   *time.Time `json:"median"`
	Earliest *time.Time `json:"earliest"`
	Latest   *time.Time `json:"latest"`
	// Slope is the growth per day between clean-ups, or from peak to peak of a saw-tooth;
	// SlopeLow and SlopeHigh hold 90 % between them. It is negative for a stock that is
	// used up. Nil if nothing is known.
	Slope     *float64 `json:"slope_per_day"`
	SlopeLow  *float64 `json:"slope_per_day_low"`
	SlopeHigh *float64 `json:"slope_per_day_high"`
	// Confidence, 0 to 1, is the share of drawn histories that agree with the state: they
	// reach the limit within a century, or, for Never, do not. 1 for Already, 0 if nothing
	// is known.
	Confidence float64 `json:"confidence"`
	// CleanUps are the instants behind drops that no noise explains.
	CleanUps []time.Time `json:"clean_ups,omitempty"`
	// Notes say what was seen and how it was taken.
	Notes []string `json:"notes,omitempty"`

	from  time.Time
	dates []float64 // days behind from of each draw, increasing; +Inf for none
}

// century bounds what is called a date, in days.
const century = 36525

// ProbBefore is the probability, 0 to 1, that the limit is reached before at. It is NaN
// if nothing is known. It does not survive JSON.
func (e *ETA) ProbBefore(at time.Time) float64 {
	if len(e.dates) == 0 {
		if e.State == Already {
			return 1
		}
		return math.NaN()
	}
	n, _ := slices.BinarySearch(e.dates, at.Sub(e.from).Hours()/24)
	return float64(n) / float64(len(e.dates))
}

// Exhaustion forecasts when a series reaches a limit: when a disk is full or a
// quota used up. It works on the growth between clean-ups: a drop in one step of
// more than 5 robust standard deviations of the steps begins a new segment. Four and
// more drops alike at even distances are a saw-tooth, of which the peaks count.
//
// The growth is the median of the slopes between all pairs of values of one segment
// (Theil, Proc. Kon. Ned. Akad. v. Wetensch. A 53, 1950; Sen, JASA 63, 1968), on
// medians of at most 64 blocks, after the season was taken out. The dates come from
// histories that are drawn with the residuals of this one (Efron, Annals of
// Statistics 7(1), 1979), which are enlarged where they depend on each other. With a
// season there are two answers to when a disk is full: when the highest hour of the
// day is first too high, or when the line is. Half of the draws take the one, half the
// other.
//
// The series may have gaps. The cost is some ten milliseconds.
func Exhaustion(s Series, limit float64, o *ETAOptions) (*ETA, error) {
	if o == nil {
		o = &ETAOptions{}
	}
	opts := *o
	if opts.Draws == 0 {
		opts.Draws = 200
	}
	if err := errors.Join(s.Validate(), opts.check(limit)); err != nil {
		return nil, err
	}
	g := newGrowth(&s, limit, &opts)
	e := &ETA{}
	if len(g.y) == 0 {
		e.Notes = append(e.Notes, "there are no values")
		return e, nil
	}
	e.from = g.now
	last := g.y[len(g.y)-1]
	if last >= g.limits[0].value {
		e.State, e.Confidence = Already, 1
		at := g.now
		e.Median, e.Earliest, e.Latest = &at, &at, &at
		return e, nil
	}
	if len(g.y) < leastValues {
		e.Notes = append(e.Notes, fmt.Sprintf("%d values, want %d", len(g.y), leastValues))
		return e, nil
	}
	g.segment()
	e.CleanUps, e.Notes = g.cleanUps, g.notes
	slopes, dates := g.draw(opts.Seed, opts.Draws)
	e.dates = dates
	e.judge(g, slopes)
	return e, nil
}

// judge turns the draws into the answer.
func (e *ETA) judge(g *growth, slopes []float64) {
	n := len(slopes)
	low, middle, high := slopes[n/20], g.slope, slopes[n-1-n/20]
	sign := 1.0
	if g.falling {
		sign, low, high = -1, high, low
	}
	slope, slopeLow, slopeHigh := sign*middle, sign*low, sign*high
	e.Slope, e.SlopeLow, e.SlopeHigh = &slope, &slopeLow, &slopeHigh
	reached, _ := slices.BinarySearch(e.dates, century)
	for _, d := range []struct {
		date     **time.Time
		from, to int // ranks, of which the middle counts
	}{{&e.Earliest, n / 20, n / 20}, {&e.Median, (n - 1) / 2, n / 2}, {&e.Latest, n - 1 - n/20, n - 1 - n/20}} {
		if days := e.dates[d.from]/2 + e.dates[d.to]/2; days < century {
			at := e.from.Add(time.Duration(days * 24 * float64(time.Hour)))
			*d.date = &at
		}
	}
	e.Confidence = float64(reached) / float64(n)
	span := g.t[len(g.t)-1] - g.t[0]
	switch touches := slopes[n/20] <= 0; {
	case touches && middle > 0 && len(g.cleanUps) > 0 && (!g.sawTooth || g.date(g.level, slopes[n-1-n/20], true) < 10*span):
		e.State = Unknown
		e.Notes = append(e.Notes, "with these clean-ups there are too few values to tell growth from noise")
	case touches || e.Median == nil:
		e.State = Never
		e.Confidence = 1 - e.Confidence
		if touches {
			e.Notes = append(e.Notes, "the slope cannot be told from 0")
		} else {
			e.Notes = append(e.Notes, "more than a century away")
		}
	case e.dates[n/2] > 10*span:
		e.State = Unknown
		e.Notes = append(e.Notes, fmt.Sprintf("%.1f days of values are less than a tenth of the %.0f days to the date", span, e.dates[n/2]))
	default:
		e.State = OK
	}
}

// check reports options out of range.
func (o *ETAOptions) check(limit float64) error {
	var problems []error
	add := func(option string, value any, want string) {
		problems = append(problems, &OptionError{Option: option, Value: value, Want: want})
	}
	finite := func(v float64) bool { return math.Abs(v) <= maxMagnitude }
	if !finite(limit) {
		add("limit", limit, "a finite number of at most 1e150")
	}
	for i, l := range o.Later {
		if !finite(l.Value) {
			add(fmt.Sprintf("Later[%d].Value", i), l.Value, "a finite number of at most 1e150")
		}
		if i > 0 && !l.From.After(o.Later[i-1].From) {
			add(fmt.Sprintf("Later[%d].From", i), l.From, "an instant after the limit before")
		}
	}
	if o.Draws < 20 || o.Draws > 10_000 {
		add("Draws", o.Draws, "20 to 10 000")
	}
	if o.Counter && o.Falling {
		add("Counter", o.Counter, "false for falling values")
	}
	return errors.Join(problems...)
}
