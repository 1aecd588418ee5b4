package anomaly

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Preset is a way to judge.
type Preset uint8

const (
	// Default takes values by name, watches calibrated tails on both sides and a
	// forest, and raises false alarms at the rate that was asked for.
	Default Preset = iota
	// Compat is StandardScaler, IsolationForest with contamination 0.1 and 100
	// trees, and mean/standard deviation baselines, with the same numbers as
	// scikit-learn 1.2.1. Use it to reproduce results made that way. Known
	// weaknesses, kept on purpose: values are taken by position and names are not
	// checked beyond their count; about a tenth of healthy readings are flagged;
	// single-metric outages mostly are not (a throughput of 0 is "normal"); low
	// values and directions are ignored; the confidence is no probability.
	Compat
)

var presetNames = []string{"default", "compat"}

// String returns "default" or "compat".
func (p Preset) String() string { return enum.String(presetNames, "Preset", uint8(p)) }

// MarshalText implements [encoding.TextMarshaler].
func (p Preset) MarshalText() ([]byte, error) {
	return enum.Text(presetNames, "anomaly", "Preset", uint8(p))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Preset) UnmarshalText(text []byte) error {
	n, err := enum.Parse(presetNames, "anomaly", "preset", text)
	*p = Preset(n)
	return err
}

// Options of [Fit]. The zero value is the Default preset with one false alarm in
// a hundred healthy readings.
type Options struct {
	// Preset chooses how to judge. Defaults to Default.
	Preset Preset `json:"preset"`

	// Schema describes the features; its names must be those of the history.
	// Defaults to SchemaOf(names). Not in Compat.
	Schema Schema `json:"schema,omitempty"`
	// Alpha in (0, 0.5] is the probability of an alarm on a healthy reading.
	// Defaults to 0.01. Not in Compat.
	Alpha float64 `json:"alpha,omitempty"`
	// FalseAlarmsPerDay states Alpha as a number per day of readings that come
	// every Interval: alpha = alarms * interval / 24 h. Not in Compat.
	FalseAlarmsPerDay float64 `json:"false_alarms_per_day,omitempty"`
	// Interval between readings. Defaults to 30 s. Only with FalseAlarmsPerDay.
	Interval time.Duration `json:"interval,omitempty"`
	// Strict makes an absent or NaN value an error, in history and readings,
	// instead of reporting it as missing. Compat is always strict about NaN.
	Strict bool `json:"strict,omitempty"`
	// Advice is the table of texts. Defaults to DefaultAdvice(). Not in Compat.
	Advice []Advice `json:"advice,omitempty"`

	// Season makes Default look for a season of each feature and judge by it where one is
	// accepted; the history needs Times, and readings an instant. Defaults to none.
	Season *Season `json:"season,omitempty"`
	// Combine says how the p-values of the components become one. Defaults to
	// CombineMinP. Not in Compat.
	Combine Combine `json:"combine,omitzero"`

	// Contamination in (0, 0.5] is the share of the history taken for abnormal.
	// Defaults to 0.1 in Compat. In Default it is another name for Alpha.
	Contamination float64 `json:"contamination,omitempty"`
	// Trees of the forest. Defaults to 100.
	Trees int `json:"trees,omitempty"`
	// Workers is how many goroutines grow trees at the same time, the calling one included;
	// the detector is the same for any number. Defaults to 1.
	Workers int `json:"workers,omitempty"`
	// Seed of the forest, the random_state of Compat. Defaults to 42.
	Seed *uint32 `json:"seed,omitempty"`

	// TrainedAt is the instant of the newest row, for Verdict.ModelAge. Defaults
	// to not known.
	TrainedAt time.Time `json:"trained_at,omitzero"`
}

type resolvedOptions struct {
	alpha         float64
	contamination float64
	trees         int
	workers       int
	seed          uint32
	advice        []Advice
	combine       Combine
	season        *Season
	zone          *time.Location
}

// resolve fills the defaults in and reports the first option out of range as an
// [*OptionError].
func (o *Options) resolve() (*resolvedOptions, error) {
	r := &resolvedOptions{trees: o.Trees, workers: o.Workers, seed: 42, advice: o.Advice, combine: o.Combine, season: o.Season}
	if o.Seed != nil {
		r.seed = *o.Seed
	}
	if r.trees == 0 {
		r.trees = 100
	}
	if r.advice == nil {
		r.advice = DefaultAdvice()
	}
	probability := func(p float64) bool { return p >= 0 && p <= 0.5 }
	const want = "a number in (0, 0.5], or 0 for the default"
	switch {
	case o.Preset > Compat:
		return nil, &OptionError{"Preset", o.Preset, "Default or Compat"}
	case o.Workers < 0:
		return nil, &OptionError{"Workers", o.Workers, "a positive number, or 0 for 1"}
	case o.Combine > CombineCauchy:
		return nil, &OptionError{"Combine", o.Combine, "CombineMinP, CombineFisher, CombineStouffer or CombineCauchy"}
	case o.Trees < 0:
		return nil, &OptionError{"Trees", o.Trees, "a positive number, or 0 for 100"}
	case !probability(o.Alpha):
		return nil, &OptionError{"Alpha", o.Alpha, want}
	case !probability(o.Contamination):
		return nil, &OptionError{"Contamination", o.Contamination, want}
	case !(o.FalseAlarmsPerDay >= 0) || math.IsInf(o.FalseAlarmsPerDay, 1):
		return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, "a positive number, or 0 for none"}
	case o.Interval < 0:
		return nil, &OptionError{"Interval", o.Interval, "a positive duration, or 0 for 30s"}
	case o.Interval != 0 && o.FalseAlarmsPerDay == 0:
		return nil, &OptionError{"Interval", o.Interval, "0 without FalseAlarmsPerDay"}
	}
	if o.Preset == Compat {
		const only = "its zero value: Compat does not have it"
		switch {
		case o.Schema != nil:
			return nil, &OptionError{"Schema", o.Schema, only}
		case o.Alpha != 0:
			return nil, &OptionError{"Alpha", o.Alpha, only}
		case o.FalseAlarmsPerDay != 0:
			return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, only}
		case o.Advice != nil:
			return nil, &OptionError{"Advice", o.Advice, only}
		case o.Season != nil:
			return nil, &OptionError{"Season", *o.Season, only}
		case o.Combine != CombineMinP:
			return nil, &OptionError{"Combine", o.Combine, only}
		}
		r.contamination = o.Contamination
		if r.contamination == 0 {
			r.contamination = 0.1
		}
		return r, nil
	}
	if o.Season != nil {
		var err error
		if r.zone, err = o.Season.location(); err != nil {
			return nil, err
		}
	}
	r.alpha = 0.01
	given := 0
	if o.Alpha != 0 {
		r.alpha = o.Alpha
		given++
	}
	if o.Contamination != 0 {
		r.alpha = o.Contamination
		given++
	}
	if o.FalseAlarmsPerDay != 0 {
		interval := cmp.Or(o.Interval, 30*time.Second)
		r.alpha = o.FalseAlarmsPerDay * interval.Hours() / 24
		if r.alpha > 0.5 {
			return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, fmt.Sprintf("at most every second reading of %v", interval)}
		}
		given++
	}
	if given > 1 {
		return nil, &OptionError{"Alpha", o.Alpha, "one of Alpha, Contamination and FalseAlarmsPerDay"}
	}
	return r, nil
}
