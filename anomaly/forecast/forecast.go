package forecast

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Options tune [Of]. The zero value, or nil, has the defaults.
type Options struct {
	// Season is the length of the cycle, a whole number of steps. Defaults to what
	// [Seasons] accepts, which may be none.
	Season time.Duration
	// NeedSeason makes a series without a season an error, [ErrNoSeason].
	NeedSeason bool
	// Zone is the zone of seasons of whole days. Where its clock is changed, an hour
	// is the one that the clock on the wall shows. Defaults to UTC.
	Zone *time.Location
	// Models are those to choose from; of equally good ones the earlier. Defaults
	// to [Models].
	Models []Model
	// Level is the share of values that the interval is to hold, above 0 and below 1.
	// Defaults to 0.95.
	Level float64
	// Interval is how the limits are found. Defaults to Conformal.
	Interval Interval
	// Floor and Cap bound the forecast and its limits: 0 for counts, 100 for
	// percentages. Default to none.
	Floor, Cap *float64
	// History is the number of latest steps to learn from. Defaults to 10 000.
	History int
}

// Forecast is the continuation of a series, and why it is this one.
type Forecast struct {
	// Steps are the forecast values, in order.
	Steps []Step `json:"steps"`
	// Model is the name of the model that was chosen, Level and Interval what the
	// limits mean.
	Model    string   `json:"model"`
	Level    float64  `json:"level"`
	Interval Interval `json:"interval"`
	// Cycle and Seasons are the cycle that was used and those that were looked for.
	Cycle   Cycle    `json:"cycle"`
	Seasons []Season `json:"seasons,omitempty"`
	// Folds is the number of horizons at the end that Trials, one for each model, were
	// tested on.
	Folds  int     `json:"folds"`
	Trials []Trial `json:"trials"`
	// Gaps were filled.
	Gaps []Gap `json:"gaps,omitempty"`
	// Notes say what else a reader should know.
	Notes []string `json:"notes,omitempty"`
}

// Step is one forecast value.
type Step struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
	// Low and High are the limits of the interval, nil if the series is too short to
	// know any.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// maxHorizon bounds the steps of a forecast.
const maxHorizon = 100_000

// Of forecasts the next steps of a series. It tries every model on the last four
// horizons and takes the one that would have been best; the result lists what it
// tried. It answers [ErrTooShort] for a series of fewer than two values.
//
// The cost is that of some thirty fits; with 28 days of hours a few milliseconds.
func Of(s Series, horizon int, o *Options) (*Forecast, error) {
	if o == nil {
		o = &Options{}
	}
	opts := *o
	if err := errors.Join(s.Validate(), opts.fill(s.Step, horizon)); err != nil {
		return nil, err
	}
	w := onWall(s, horizon, opts.Zone)
	skip := max(0, len(w.values)-opts.History)
	y, first := trim(w.values[skip:])
	first += skip
	if len(y) < 2 {
		return nil, fmt.Errorf("%w: %d, want 2", ErrTooShort, len(y))
	}
	f := &Forecast{Level: opts.Level, Notes: w.notes}
	skip = max(0, len(s.Values)-opts.History)
	inner, from := trim(s.Values[skip:])
	f.Gaps = gapsOf(&s, inner, skip+from)
	missing := 0
	for _, g := range f.Gaps {
		missing += g.Steps
	}
	if missing > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d of %d values were missing and were filled", missing, len(inner)))
	}
	behind := len(w.values) - first - len(y)
	if behind > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("the last %d steps have no value; the forecast begins before them", behind))
	}
	var err error
	if f.Seasons, f.Cycle, err = opts.cycle(y, s.Step); err != nil {
		return nil, err
	}
	y = fill(y, f.Cycle.Period)
	total := behind + w.horizon
	if err := f.choose(opts, y, horizon, behind, total, &w); err != nil {
		return nil, err
	}
	return f, nil
}

// choose runs the backtest, fits the best model and fills the steps.
func (f *Forecast) choose(opts Options, y []float64, horizon, behind, total int, w *wall) error {
	f.Folds = foldsOf(len(y), horizon, f.Cycle)
	trials, fits := backtest(opts.Models, y, f.Cycle, horizon, f.Folds)
	f.Trials = trials
	if f.Folds < mostFolds {
		f.Notes = append(f.Notes, fmt.Sprintf("the series is too short to test %d horizons; %d were tested", mostFolds, f.Folds))
	}
	// A model may have done well and not fit the latest values.
	var fitted Fitted
	best := leastScore(trials)
	for ; best >= 0; best = leastScore(trials) {
		var err error
		if fitted, err = opts.Models[best].Fit(y, f.Cycle); err == nil {
			f.Model, trials[best].Chosen = trials[best].Model, true
			break
		}
		trials[best].skip(err.Error())
	}
	if best < 0 {
		// Nothing could be tested: the last cycle, or the last value.
		if seasonal, err := (SeasonalNaive{}).Fit(y, f.Cycle); err == nil {
			fitted, f.Model = seasonal, SeasonalNaive{}.Name()
		} else if fitted, err = (Naive{}).Fit(y, f.Cycle); err == nil {
			f.Model = Naive{}.Name()
		} else {
			return err
		}
	}
	f.Interval = Conformal
	var widths []float64
	if opts.Interval == Parametric {
		if widths = parametric(fitted, total, opts.Level); widths != nil {
			f.Interval = Parametric
		}
	}
	if widths == nil && best >= 0 {
		widths = conformal(fits[best], y, horizon, f.Folds, opts.Level)
	}
	values := fitted.Forecast(total)
	for i := range horizon {
		k := behind + w.ahead[i]
		step := Step{At: w.at(i), Value: opts.clamp(values[k])}
		if widths != nil {
			width := widths[min(k, len(widths)-1)]
			low, high := opts.clamp(values[k]-width), opts.clamp(values[k]+width)
			step.Low, step.High = &low, &high
		}
		f.Steps = append(f.Steps, step)
	}
	return nil
}

// fill puts the defaults in and reports what is out of range.
func (o *Options) fill(step time.Duration, horizon int) error {
	var problems []error
	check := func(ok bool, option string, value any, want string) {
		if !ok {
			problems = append(problems, &OptionError{Option: option, Value: value, Want: want})
		}
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.History == 0 {
		o.History = 10_000
	}
	if o.Models == nil {
		o.Models = Models()
	}
	check(0 < horizon && horizon <= maxHorizon, "horizon", horizon, fmt.Sprintf("1 to %d steps", maxHorizon))
	check(0 < o.Level && o.Level < 1, "Level", o.Level, "above 0 and below 1")
	check(o.History >= 2, "History", o.History, "at least 2")
	check(o.Season == 0 || step > 0 && o.Season > step && o.Season%step == 0, "Season", o.Season, "a whole number of steps, at least 2")
	check(o.Interval <= Parametric, "Interval", o.Interval, "Conformal or Parametric")
	for i, m := range o.Models {
		check(m != nil, fmt.Sprintf("Models[%d]", i), m, "a model")
	}
	for _, b := range []struct {
		name  string
		value *float64
	}{{"Floor", o.Floor}, {"Cap", o.Cap}} {
		if b.value != nil {
			check(math.Abs(*b.value) <= maxMagnitude, b.name, *b.value, "a finite number of at most 1e150")
		}
	}
	if o.Floor != nil && o.Cap != nil {
		check(*o.Floor <= *o.Cap, "Floor", *o.Floor, fmt.Sprintf("at most Cap, %v", *o.Cap))
	}
	return errors.Join(problems...)
}

// cycle is the one that was asked for, or the one that is found.
func (o *Options) cycle(y []float64, step time.Duration) ([]Season, Cycle, error) {
	found, err := seasons(bridged(y), step)
	if err != nil && o.NeedSeason && o.Season == 0 {
		return nil, Cycle{}, err
	}
	c := cycleOf(found)
	if o.Season > 0 {
		period := int(o.Season / step)
		if period == c.Week {
			c.Week = 0
		}
		c.Period = period
		if o.NeedSeason {
			if err := needCycles(y, period, leastCycles); err != nil {
				return nil, Cycle{}, err
			}
			if s := strength(bridged(y), period); s < leastStrength {
				return nil, Cycle{}, fmt.Errorf("%w of %s: its strength is %.2f, want %v", ErrNoSeason, o.Season, s, leastStrength)
			}
		}
		if len(y) < 2*period {
			c.Period = 0
		}
	}
	return found, c, nil
}

// clamp holds a value within Floor and Cap, and within numbers at all.
func (o *Options) clamp(v float64) float64 {
	if o.Floor != nil {
		v = max(v, *o.Floor)
	}
	if o.Cap != nil {
		v = min(v, *o.Cap)
	}
	return min(max(v, -math.MaxFloat64), math.MaxFloat64)
}
