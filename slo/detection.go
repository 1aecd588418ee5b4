package slo

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Detection is how a rule behaves in an incident of constant error ratio and
// traffic after a clean past. All times are exact seconds.
type Detection struct {
	Rule  string `json:"rule"`
	Fires bool   `json:"fires"` // the error ratio exceeds the threshold
	// After is the time from the start of the incident until the rule holds:
	// threshold · long / error ratio. It holds just after that instant.
	After Ratio `json:"after_s"`
	// Consumed is the share of the budget that is gone by then:
	// error ratio · after / (budget · period) = factor · long / period.
	Consumed Ratio `json:"consumed"`
	// Reset is the time from recovery until the rule stops holding, if the
	// incident lasted at least the short window: short · (1 - threshold / error
	// ratio). Without a short window the long one takes its place.
	Reset Ratio `json:"reset_s"`
}

// Detections returns, in the order of the rules, how each behaves when the error
// ratio is e and the objective's period has the length. The figures of a rule
// that does not fire are absent. Kinds without a factor have none: when they fire
// depends on the traffic. (The Site Reliability Workbook, 2018, chapter 5:
// detection time = (1 - SLO) / error ratio · window · burn rate.)
func (p Policy) Detections(target Target, period time.Duration, e Ratio) ([]Detection, error) {
	if !target.IsSet() {
		return nil, errors.New("target not set")
	}
	if !e.isFinite() || e.Sign() < 0 || e.Compare(NewRatio(1, 1)) > 0 || period <= 0 {
		return nil, errors.New("want an error ratio from 0 to 1 and a period above 0")
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	detections := make([]Detection, len(p.Rules))
	for i, r := range p.Rules {
		d := Detection{Rule: r.Name}
		if share := r.Threshold(target); r.Kind == BurnRate && e.Compare(share) > 0 {
			share = share.over(e)
			d.Fires = true
			d.After = share.times(seconds(r.Long))
			d.Consumed = r.Factor.times(NewRatio(int64(r.Long), int64(period)))
			d.Reset = oneMinus(share).times(seconds(cmp.Or(r.Short, r.Long)))
		}
		detections[i] = d
	}
	return detections, nil
}

// Earliest returns the detection that comes first, the earlier in the list on a
// tie; ok is false when none fires.
func Earliest(detections []Detection) (first Detection, ok bool) {
	firing := slices.DeleteFunc(slices.Clone(detections), func(d Detection) bool { return !d.Fires })
	if len(firing) == 0 {
		return Detection{}, false
	}
	return slices.MinFunc(firing, func(a, b Detection) int { return a.After.Compare(b.After) }), true
}
