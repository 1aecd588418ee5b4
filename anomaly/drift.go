package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// DriftLevel says how far recent readings are from the history.
type DriftLevel uint8

const (
	// Stable means that nothing speaks for a change.
	Stable DriftLevel = iota
	// Warn means a change worth a look.
	Warn
	// Act means that the history no longer describes the service: learn anew, if the change
	// is meant to last.
	Act
)

var driftNames = []string{"stable", "warn", "act"}

// String returns "stable", "warn" or "act".
func (l DriftLevel) String() string { return enum.String(driftNames, "DriftLevel", uint8(l)) }

// MarshalText implements [encoding.TextMarshaler].
func (l DriftLevel) MarshalText() ([]byte, error) {
	return enum.Text(driftNames, "anomaly", "DriftLevel", uint8(l))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *DriftLevel) UnmarshalText(text []byte) error {
	n, err := enum.Parse(driftNames, "anomaly", "drift level", text)
	*l = DriftLevel(n)
	return err
}

const (
	// The bounds of the population stability index that are customary in credit scoring
	// (Siddiqi, Credit Risk Scorecards, 2006, chapter 9); 10 bins and a least share of 1e-4.
	psiWarn, psiAct = 0.1, 0.25
	psiBins         = 10
	psiFloor        = 1e-4
	// chance is the probability that a level is luck. The index does not allow for the number
	// of readings: of n clean ones it is about 9/n, the degrees of freedom over n.
	chance = 0.001
	// minDrift is how many readings it takes to compare at all.
	minDrift = 30
)

// Drift compares recent readings with the history that a detector learnt from.
type Drift struct {
	// Level is the highest of Score and Features.
	Level DriftLevel `json:"level"`
	// N readings were compared, of the instants First to Last, in UTC; the instants are zero
	// if the readings had none.
	N     int       `json:"n"`
	First time.Time `json:"from,omitzero"`
	Last  time.Time `json:"to,omitzero"`
	// Score compares the scores; nil in Compat, which keeps none.
	Score *Shift `json:"score,omitempty"`
	// Features in the order of the schema, but for those with fewer than 30 values. Where a
	// season is accepted, what it leaves of the values is compared.
	Features []Shift `json:"features,omitempty"`
}

// Shift is how far one distribution has moved.
type Shift struct {
	// Feature is empty for the scores.
	Feature string     `json:"feature,omitempty"`
	Level   DriftLevel `json:"level"`
	// N values were compared.
	N int `json:"n"`
	// PSI is the population stability index over ten bins of equal shares of the history:
	// Warn from 0.1 on, Act from 0.25 on, either only where P is small enough, below 0.001 over the number of
	// distributions that were compared.
	PSI float64 `json:"psi"`
	// KS is the largest distance between the distribution functions, P its probability
	// without a change.
	KS float64 `json:"ks"`
	P  float64 `json:"p"`
	// Moved is how far a value moved on average, in the unit of the feature or, where a season
	// is accepted, in spreads: the area between the distribution functions.
	Moved float64 `json:"moved"`
	// Above is the share of pairs in which a recent value is above one of the history, equals
	// counting half: 0.5 without a change, 1 if all are higher.
	Above float64 `json:"above"`
}

// Drift compares at least 30 recent readings with the training: names and values as in
// [Fit], where features may be absent. A history that fits but is shorter gives
// [ErrTooFewRows]. Readings depend on each other in time, which P does not allow for: compare
// days rather than minutes.
func (d *Detector) Drift(recent History) (*Drift, error) {
	all := History{Names: slices.Clone(recent.Names), Rows: recent.Rows, Times: recent.Times}
	var absent []string
	for _, f := range d.schema {
		if !slices.Contains(all.Names, f.Name) {
			absent = append(absent, f.Name)
		}
	}
	if d.strict && absent != nil {
		return nil, &SchemaError{Missing: slices.Sorted(slices.Values(absent))}
	}
	if absent != nil {
		all.Names = append(all.Names, absent...)
		all.Rows = make([][]float64, len(recent.Rows))
		for i, row := range recent.Rows {
			if len(row) != len(recent.Names) {
				return nil, &RowError{Row: i, Value: len(row), Want: len(recent.Names)}
			}
			all.Rows[i] = slices.Concat(row, slices.Repeat([]float64{math.NaN()}, len(absent)))
		}
	}
	columns, err := all.columns(d.schema)
	if err != nil {
		return nil, err
	}
	out := &Drift{N: len(all.Rows)}
	if out.N < minDrift {
		return nil, fmt.Errorf("%w: %d recent readings, want at least %d", ErrTooFewRows, out.N, minDrift)
	}
	times := recent.Times
	if times == nil {
		if err := d.needInstant(time.Time{}); err != nil {
			return nil, err
		}
		times = make([]time.Time, out.N)
	} else if err := checkTimes(times, out.N); err != nil {
		return nil, err
	}
	for _, t := range times {
		if out.First.IsZero() || t.Before(out.First) {
			out.First = t
		}
		if t.After(out.Last) {
			out.Last = t
		}
	}
	out.First, out.Last = out.First.UTC(), out.Last.UTC()
	if err := d.compare(out, columns, times); err != nil {
		return nil, err
	}
	for i := range out.Features {
		s := &out.Features[i]
		s.judge(len(out.Features) + 1)
		out.Level = max(out.Level, s.Level)
	}
	if s := out.Score; s != nil {
		s.judge(len(out.Features) + 1)
		out.Level = max(out.Level, s.Level)
	}
	return out, nil
}

// compare fills the shifts.
func (d *Detector) compare(out *Drift, columns [][]float64, times []time.Time) error {
	for j := range columns {
		var left []float64
		for i, v := range columns[j] {
			switch {
			case math.IsNaN(v):
			case d.preset == Default && !d.schema[j].within(v):
				columns[j][i] = math.NaN()
			default:
				left = append(left, d.baselines[j].Season.season(times[i], v))
			}
		}
		if len(left) >= minDrift {
			out.Features = append(out.Features, shiftOf(d.schema[j].Name, &d.columns[j], left))
		}
	}
	if d.calibrated == nil {
		return nil
	}
	s := d.scratch()
	defer scratches.Put(s)
	var scores []float64
	for i := range times {
		judged := false
		for j := range columns {
			s.row[j] = columns[j][i]
			judged = judged || !math.IsNaN(s.row[j])
		}
		if !judged {
			continue
		}
		t, err := d.statistic(s, times[i], s.row)
		if err != nil {
			return err
		}
		scores = append(scores, t)
	}
	if len(scores) >= minDrift {
		out.Score = new(shiftOf("", &d.calibrated.statistic, scores))
	}
	return nil
}

func shiftOf(name string, c *column, values []float64) Shift {
	slices.Sort(values)
	s := Shift{Feature: name, N: len(values)}
	edges := slices.Compact(stats.PSIEdges(c.knots, psiBins))
	s.PSI = stats.PSI(c.knots, values, edges, psiFloor)
	s.KS, s.P = stats.KS(c.knots, values)
	s.Moved = stats.Wasserstein1(c.knots, values)
	above, _ := stats.MannWhitney(values, c.knots)
	s.Above = above / (float64(len(values)) * float64(len(c.knots)))
	return s
}

// judge sets the level of one of so many shifts.
func (s *Shift) judge(compared int) {
	switch {
	case s.P >= chance/float64(compared):
	case s.PSI >= psiAct:
		s.Level = Act
	case s.PSI >= psiWarn:
		s.Level = Warn
	}
}

// WithDrift returns a detector that judges alike and whose verdicts carry a comparison;
// nil takes it away. The comparison is retained and must not be changed.
func (d *Detector) WithDrift(x *Drift) *Detector {
	out := *d
	out.drift = x
	return &out
}
