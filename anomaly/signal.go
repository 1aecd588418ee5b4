package anomaly

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"
)

// Signal is a verdict, or the part of a feature in it, as one sample of a series and the alert
// that goes with it. Its fields are plain values that monitoring and correlation take by
// assignment: a metric or alert name, labels, an instant, a number, whether it fires.
type Signal struct {
	// Name is SignalScore or SignalFeature.
	Name string `json:"name"`
	// Labels are service and preset, of a feature also its name and direction. The direction
	// is part of the identity: throughput that is too high is another alert than too low.
	Labels map[string]string `json:"labels"`
	Time   time.Time         `json:"time"`
	// Value is the score, 1 or more for an alarm; NaN, in JSON null, if nothing was judged.
	Value float64 `json:"value"`
	// Firing says that somebody should look: see [Verdict.Alarming].
	Firing bool `json:"firing"`
	// Annotations say why: state, p, recommendation; of a feature what is usual.
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Names of signals.
const (
	// SignalScore is the verdict as a whole; one per verdict.
	SignalScore = "anomaly_score"
	// SignalFeature is the score of one feature by itself. Default only, as Compat has none.
	SignalFeature = "anomaly_feature_score"
)

// MarshalJSON writes null for a value that is NaN.
func (s Signal) MarshalJSON() ([]byte, error) {
	type plain Signal
	out := struct {
		plain
		Value *float64 `json:"value"`
	}{plain: plain(s)}
	if !math.IsNaN(s.Value) {
		out.Value = &s.Value
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads null as NaN.
func (s *Signal) UnmarshalJSON(data []byte) error {
	type plain Signal
	in := struct {
		*plain
		Value *float64 `json:"value"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	s.Value = math.NaN()
	if in.Value != nil {
		s.Value = *in.Value
	}
	return nil
}

// Signals returns the verdict as signals: the whole first, then the features by falling
// share. labels are added to those of each signal, which win; they may be nil and are
// not retained. A feature has a signal for either direction, the other one with the value 0, so
// that an alert ends when its deviation does.
func (v *Verdict) Signals(labels map[string]string) []Signal {
	with := func(more ...string) map[string]string {
		all := maps.Clone(labels)
		if all == nil {
			all = make(map[string]string, 2+len(more)/2)
		}
		all["service"], all["preset"] = v.Service, v.Preset.String()
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	whole := Signal{
		Name: SignalScore, Labels: with(), Time: v.At, Value: v.Score, Firing: v.Alarming(),
		Annotations: map[string]string{"state": v.State.String(), "recommendation": v.Recommendation},
	}
	switch {
	case len(v.Contributions) == 0:
		whole.Value = math.NaN()
	case v.Preset == Default:
		whole.Annotations["p"] = fmt.Sprintf("%.3g", v.P)
	}
	out := []Signal{whole}
	if v.Preset != Default {
		return out
	}
	for i := range v.Contributions {
		c := &v.Contributions[i]
		for _, side := range []Side{High, Low} {
			s := Signal{Name: SignalFeature, Labels: with("feature", c.Feature, "direction", side.String()), Time: v.At}
			if side == c.Direction {
				s.Value, s.Firing = c.Score, c.Score >= 1
				s.Annotations = map[string]string{
					"value": fmt.Sprintf("%v%s", c.Value, c.Unit), "usual": fmt.Sprintf("%v to %v", c.Expected.Q25, c.Expected.Q75),
					"p": fmt.Sprintf("%.3g", c.TailP),
				}
			}
			out = append(out, s)
		}
	}
	return out
}
