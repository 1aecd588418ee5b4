package slo

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"sort"
	"time"
)

// Detection is how a rule behaves in an incident of constant error ratio and
// traffic after a clean past. All times are exact seconds.
type Detection struct {
	Rule string `json:"rule"`
	// Fires: the error ratio exceeds the threshold and, where the traffic is
	// known, the gates let it through.
	Fires bool `json:"fires"`
	// After is the time from the start of the incident until the rule holds:
	//
	//	threshold · long / error ratio
	//
	// It holds just after that instant. With known traffic it is later where so
	// many bad events as MinBad or Alpha ask for take longer, at that traffic.
	After Ratio `json:"after_s"`
	// FiresAfter is After and the For of the rule: when it fires.
	FiresAfter Ratio `json:"fires_after_s"`
	// Consumed is the share of the budget that is gone when the rule holds:
	// error ratio · after / (budget · period), or factor · long / period.
	Consumed Ratio `json:"consumed"`
	// ConsumedFiring is the share that is gone when it fires.
	ConsumedFiring Ratio `json:"consumed_firing"`
	// Reset is the time from recovery until the rule stops holding, if the
	// incident lasted at least the short window: short · (1 - threshold / error
	// ratio). Without a short window the long one takes its place. KeepFiringFor
	// comes on top for the alert.
	Reset Ratio `json:"reset_s"`
}

// Detections returns, in the order of the rules, how each behaves when the error
// ratio is e. Of the surroundings it takes Period, which must be set, and
// EventsPerHour. The figures of a rule that does not fire are absent. Kinds
// without a factor have none: when they fire depends on the traffic. (The Site
// Reliability Workbook, 2018, chapter 5: detection time = (1 - SLO) / error ratio ·
// window · burn rate.)
func (p Policy) Detections(target Target, in Surroundings, e Ratio) ([]Detection, error) {
	if err := p.validateAt(target); err != nil {
		return nil, err
	}
	if !e.isFinite() || e.Sign() < 0 || e.Compare(NewRatio(1, 1)) > 0 {
		return nil, errors.New("want an error ratio from 0 to 1")
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	detections := make([]Detection, len(p.Rules))
	for i, r := range p.Rules {
		d := Detection{Rule: r.Name}
		if after, ok := r.holdsAfter(target, in, e); ok {
			d.Fires = true
			d.After = after
			d.FiresAfter = after.plus(seconds(r.For))
			lost := func(after Ratio) Ratio {
				if target.Budget().Sign() == 0 {
					return Inf(1)
				}
				return e.times(after).over(target.AllowedDowntime(in.Period))
			}
			d.Consumed, d.ConsumedFiring = lost(d.After), lost(d.FiresAfter)
			d.Reset = oneMinus(r.Threshold(target).over(e)).times(seconds(cmp.Or(r.Short, r.Long)))
		}
		detections[i] = d
	}
	return detections, nil
}

// holdsAfter returns the seconds until a burn rate rule holds in an incident; ok
// is false where it never does.
func (r *Rule) holdsAfter(target Target, in Surroundings, e Ratio) (after Ratio, ok bool) {
	threshold := r.Threshold(target)
	if r.Kind != BurnRate || e.Compare(threshold) <= 0 {
		return Ratio{}, false
	}
	after = threshold.over(e).times(seconds(r.Long))
	if !in.EventsPerHour.IsSet() {
		return after, true
	}
	events := in.eventsIn(r.Long)
	bad, ok := r.least(threshold, events)
	if !ok {
		return Ratio{}, false
	}
	if bad > 0 { // they take bad / (e · traffic)
		gated := whole(bad).times(NewRatio(3600, 1)).over(e.times(in.EventsPerHour))
		if gated.Compare(seconds(r.Long)) > 0 {
			return Ratio{}, false
		}
		if gated.Compare(after) > 0 {
			after = gated
		}
	}
	return after, true
}

// eventsIn returns the whole events that come in a time at the known traffic.
func (in Surroundings) eventsIn(d time.Duration) uint64 {
	n := in.EventsPerHour.times(seconds(d)).times(NewRatio(1, 3600)).rat()
	q := new(big.Int).Quo(n.Num(), n.Denom())
	if !q.IsUint64() {
		return 1<<64 - 1
	}
	return q.Uint64()
}

// least returns how many of the events of the long window must be bad for the
// gates; ok is false when all of them are not enough.
func (r *Rule) least(threshold Ratio, events uint64) (bad uint64, ok bool) {
	bad = r.MinBad
	if events < r.MinEvents || events < bad {
		return 0, false
	}
	num, den, fits := threshold.parts()
	if !r.Alpha.IsSet() || !fits || events > gateEvents {
		return bad, true
	}
	g := newGate(r.Alpha, threshold)
	significant := sort.Search(int(events)+1, func(n int) bool { return g.passes(events, uint64(n), limit{num, den}) })
	return max(bad, uint64(significant)), significant <= int(events)
}

// Earliest returns the detection that fires first, the earlier in the list on a
// tie; ok is false when none fires.
func Earliest(detections []Detection) (first Detection, ok bool) {
	firing := slices.DeleteFunc(slices.Clone(detections), func(d Detection) bool { return !d.Fires })
	if len(firing) == 0 {
		return Detection{}, false
	}
	return slices.MinFunc(firing, func(a, b Detection) int { return a.FiresAfter.Compare(b.FiresAfter) }), true
}
