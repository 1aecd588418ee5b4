package anomaly

import (
	"encoding/json"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// State is the answer in one word.
type State uint8

const (
	// Normal means that the values are within what the history shows.
	Normal State = iota + 1
	// Anomaly means that they are not.
	Anomaly
	// NoData means that no value arrived, so there is nothing to judge.
	NoData
	// Invalid means that a value broke its physical limits, and that the others,
	// if any, are normal. Whatever reports that value deserves a look.
	Invalid
)

var stateNames = []string{"", "normal", "anomaly", "no_data", "invalid"}

// String returns "normal", "anomaly", "no_data" or "invalid".
func (s State) String() string { return enum.String(stateNames, "State", uint8(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) {
	return enum.Text(stateNames, "anomaly", "State", uint8(s))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(text []byte) error {
	n, err := enum.Parse(stateNames, "anomaly", "state", text)
	*s = State(n)
	return err
}

// Verdict is the judgement of one reading.
type Verdict struct {
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	// Preset made this verdict; it decides how Score and Confidence are meant.
	Preset Preset `json:"preset"`
	State  State  `json:"state"`

	// Score is 1 at the boundary and grows with oddness. Default: ln P / ln alpha,
	// anomalous from 1 on. Compat: score over offset, anomalous above 1.
	// Score, P and Confidence are 0, and null in JSON, if no value was judged.
	Score float64 `json:"score"`
	// P is the calibrated probability of a reading at least this odd in healthy
	// operation. Default only: Compat has none, and null in JSON.
	P float64 `json:"p"`
	// BoundaryP is the P from which on downwards a reading is an anomaly. Default only.
	BoundaryP float64 `json:"boundary_p,omitempty"`
	// Confidence is 1-P. In Compat it is the distance of the forest's decision
	// from 0, which is no probability and rarely exceeds 0.28.
	Confidence float64 `json:"confidence"`

	// Contributions has one entry per value that was judged, by falling share.
	Contributions []Contribution `json:"contributions,omitempty"`
	// Missing features came without a value, in the order of the schema.
	Missing []string `json:"missing,omitempty"`
	// Invalid values broke a physical limit and were not judged.
	Invalid []Violation `json:"invalid,omitempty"`

	// Advice says what to do, most important first; empty if nothing is.
	Advice []string `json:"advice,omitempty"`
	// Recommendation is the advice as one sentence, or that there is none.
	Recommendation string `json:"recommendation"`

	// ModelAge is the time from [Options.TrainedAt] to At, 0 if the former is not
	// known.
	ModelAge time.Duration `json:"model_age_ns,omitempty"`
	// Drift is what the last comparison with the history found, see [Detector.WithDrift];
	// nil if there was none.
	Drift *Drift `json:"drift,omitempty"`
	// Compat holds the recipe's own answer, nil in other presets.
	Compat *CompatResult `json:"compat,omitempty"`
}

// Contribution is the part one feature has in a verdict.
type Contribution struct {
	Feature string  `json:"feature"`
	Unit    string  `json:"unit,omitempty"`
	Value   float64 `json:"value"`
	// Expected is what the history shows.
	Expected Expected `json:"expected"`
	// Season is the cycle that Expected, RobustZ, TailP and Percentile allow for, NoCycle
	// for none.
	Season Cycle `json:"season,omitzero"`
	// Direction is High for a value above the median, else Low. Harm is the side that is
	// watched.
	Direction Side `json:"direction"`
	Harm      Side `json:"harm"`
	// Z counts sample standard deviations from the mean, RobustZ scaled median
	// deviations from the median. A constant history has no deviation; there a
	// thousandth of the median counts as one (1 if the median is 0).
	Z       float64 `json:"z"`
	RobustZ float64 `json:"robust_z"`
	// TailP is the probability of a value at least this extreme on a harmful
	// side, by itself. Default only.
	TailP float64 `json:"tail_p,omitempty"`
	// Percentile is the share of the history below the value, equals counting
	// half, in [0, 1].
	Percentile float64 `json:"percentile"`
	// Score is what the verdict would be from this feature's tail alone: at 1 or
	// more it suffices for an alarm. With a way to combine other than CombineMinP it is
	// that of its p-value, not calibrated. Default only.
	Score float64 `json:"score,omitempty"`
	// Share of this feature in the oddness; the shares of a verdict sum to 1.
	Share float64 `json:"share"`
}

// Expected describes the middle half of a feature's history.
type Expected struct {
	Q25    float64 `json:"q25"`
	Median float64 `json:"median"`
	Q75    float64 `json:"q75"`
}

// Violation is a value outside the physical limits of its feature.
type Violation struct {
	Feature string   `json:"feature"`
	Value   float64  `json:"value"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
}

// Alarming reports whether somebody should look: the state is Anomaly or Invalid.
func (v *Verdict) Alarming() bool { return v.State == Anomaly || v.State == Invalid }

// MarshalJSON writes null for numbers that the verdict does not have.
func (v Verdict) MarshalJSON() ([]byte, error) {
	type plain Verdict
	out := struct {
		plain
		Score      *float64 `json:"score"`
		P          *float64 `json:"p"`
		Confidence *float64 `json:"confidence"`
	}{plain: plain(v)}
	if len(v.Contributions) > 0 {
		out.Score, out.Confidence = &v.Score, &v.Confidence
		if v.Preset == Default {
			out.P = &v.P
		}
	}
	return json.Marshal(out)
}
