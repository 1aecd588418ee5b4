package anomaly

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Reason says what kept a feature from raising an alarm.
type Reason struct {
	// Feature is empty for the verdict as a whole.
	Feature string    `json:"feature,omitempty"`
	Because QuietKind `json:"because"`
	// Text is the reason in words.
	Text string `json:"text"`
}

// QuietKind is a kind of reason for silence.
type QuietKind uint8

const (
	// QuietMissing means that there was no value.
	QuietMissing QuietKind = iota + 1
	// QuietInvalid means that the value broke a physical limit and was not judged.
	QuietInvalid
	// QuietSide means that it deviates to the side that harms nobody.
	QuietSide
	// QuietUsual means that it is within the middle half of the history.
	QuietUsual
	// QuietShort means that it is odd, but by itself not odd enough.
	QuietShort
	// QuietTogether means that all components together are not odd enough.
	QuietTogether
)

var quietNames = []string{"", "missing", "invalid", "side", "usual", "short", "together"}

// String returns "missing", "invalid", "side", "usual", "short" or "together".
func (k QuietKind) String() string { return enum.String(quietNames, "QuietKind", uint8(k)) }

// MarshalText implements [encoding.TextMarshaler].
func (k QuietKind) MarshalText() ([]byte, error) {
	return enum.Text(quietNames, "anomaly", "QuietKind", uint8(k))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *QuietKind) UnmarshalText(text []byte) error {
	n, err := enum.Parse(quietNames, "anomaly", "reason", text)
	*k = QuietKind(n)
	return err
}

// WhyNot lists what kept the reading as a whole, if it is no anomaly, and each of its features
// from raising an alarm; a feature that suffices by itself is not listed. Features come in the
// order of the contributions, then missing and invalid ones.
func (v *Verdict) WhyNot() []Reason {
	var out []Reason
	if v.State != Anomaly && len(v.Contributions) > 0 {
		out = append(out, Reason{Because: QuietTogether, Text: v.together()})
	}
	for _, c := range v.Contributions {
		if v.Preset == Default && c.Score >= 1 {
			continue
		}
		out = append(out, c.whyNot(v.Preset))
	}
	for _, name := range v.Missing {
		out = append(out, Reason{name, QuietMissing, "no value arrived"})
	}
	for _, x := range v.Invalid {
		out = append(out, Reason{x.Feature, QuietInvalid, fmt.Sprintf("%v is not possible, so it was not judged", x.Value)})
	}
	return out
}

// together says how far all features at once are from an alarm.
func (v *Verdict) together() string {
	if v.Compat != nil {
		return fmt.Sprintf("the decision of the forest is %.4g, an alarm needs one below 0", v.Compat.AnomalyScore)
	}
	return fmt.Sprintf("a healthy reading is as odd with probability %.4g, an alarm needs %.4g or less", v.P, v.BoundaryP)
}

// whyNot says why the feature alone raised no alarm.
func (c *Contribution) whyNot(p Preset) Reason {
	switch {
	case p == Compat:
		return Reason{c.Feature, QuietShort, fmt.Sprintf("%.4g standard deviations from the mean; the recipe decides by the forest alone", math.Abs(c.Z))}
	case c.Value >= c.Expected.Q25 && c.Value <= c.Expected.Q75:
		return Reason{c.Feature, QuietUsual, fmt.Sprintf("%v is within the middle half, from %v to %v", c.Value, c.Expected.Q25, c.Expected.Q75)}
	case c.Harm != Both && c.Harm != c.Direction:
		return Reason{c.Feature, QuietSide, fmt.Sprintf("%v is %v, and only %v values are watched", c.Value, c.Direction, c.Harm)}
	}
	return Reason{c.Feature, QuietShort, fmt.Sprintf("%v is as rare as %.4g by itself, a score of %.2f of 1", c.Value, c.TailP, c.Score)}
}

// Limits returns the values of a feature from which on it raises an alarm by itself at an
// instant: at most low, or at least high. They are -Inf and +Inf where that side is not watched
// or no value suffices, as towards a physical limit; both if the name is not known, and in
// Compat, which has none. So they are what one draws beside a curve. Each costs about a
// hundred look-ups.
func (d *Detector) Limits(name string, at time.Time) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	j, ok := d.index[name]
	if !ok || d.calibrated == nil {
		return low, high
	}
	season := d.baselines[j].Season
	if x := d.limit(j, High); !math.IsInf(x, 0) {
		high = season.value(at, x)
	}
	if x := d.limit(j, Low); !math.IsInf(x, 0) {
		low = season.value(at, x)
	}
	return low, high
}

// limit finds where a tail suffices, on the scale that a season leaves.
func (d *Detector) limit(j int, side Side) float64 {
	c, col := d.calibrated, &d.columns[j]
	sign := 1.0
	if side == Low {
		sign = -1
	}
	never := math.Inf(int(sign))
	if c.sides[j] != Both && c.sides[j] != side {
		return never
	}
	fires := func(x float64) bool {
		return c.alone(j, col.logP(side, x)) <= c.logAlpha*d.threshold
	}
	inside, step := col.median, col.spread
	if fires(inside) {
		return inside
	}
	outside := inside + sign*step
	for !fires(outside) {
		step *= 2
		if step > math.MaxFloat64/4 {
			return never
		}
		inside, outside = outside, col.median+sign*step
	}
	for {
		middle := inside + (outside-inside)/2
		if middle == inside || middle == outside {
			return outside
		}
		if fires(middle) {
			outside = middle
		} else {
			inside = middle
		}
	}
}
