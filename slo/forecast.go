package slo

import (
	"fmt"
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// TimeToExhaustion returns the seconds until a budget is gone when a burn rate
// holds:
//
//	(1 - consumed) · length / burn
//
// It is 0 when consumed >= 1, whatever the burn rate, and +Inf when burn is 0 or
// consumed -Inf. Old errors that leave a rolling window meanwhile are not counted
// in, which errs on the early side. Otherwise it is absent when an argument is.
func TimeToExhaustion(length time.Duration, consumed, burn Ratio) Ratio {
	switch {
	case !consumed.IsSet():
		return Ratio{}
	case consumed.Compare(NewRatio(1, 1)) >= 0:
		return NewRatio(0, 1)
	case !burn.IsSet():
		return Ratio{}
	case burn.IsInf(1):
		return NewRatio(0, 1)
	case burn.Sign() <= 0 || consumed.IsInf(-1):
		return Inf(1)
	}
	return oneMinus(consumed).times(seconds(length)).over(burn)
}

// Forecast says where a budget ends up when a burn rate holds.
type Forecast struct {
	Burn Ratio `json:"burn"` // the burn rate that is assumed to hold

	// Projected is the share of the budget that is gone at the end of the
	// window: consumed + burn · (end - at)/length.
	Projected Ratio `json:"projected"`
	// Seconds until the budget is gone, see [TimeToExhaustion].
	Seconds Ratio `json:"seconds"`
	// ExhaustsAt is at + Seconds, cut to the nanosecond; zero when that is never,
	// unknown or more than 292 years away. It may lie beyond the end of the
	// window.
	ExhaustsAt time.Time `json:"exhausts_at,omitzero"`
	// BeforeEnd reports whether Projected is above 1: reaching the end with
	// nothing left is not before it.
	BeforeEnd bool `json:"before_end"`
	// MaxSustainable is the burn rate that uses up exactly what is left until
	// the end: (1 - consumed) · length/(end - at), negative when overspent.
	// Absent at the end itself, so always for a rolling window.
	MaxSustainable Ratio `json:"max_sustainable"`
}

// Project returns the forecast of a budget of which consumed is gone at the
// instant at, within the window. Absent ratios give a forecast of absent
// figures, but a budget that is gone is so at once; an instant outside the window
// is an error.
func Project(window calendar.Interval, at time.Time, consumed, burn Ratio) (Forecast, error) {
	if err := window.Validate(); err != nil {
		return Forecast{}, fmt.Errorf("window: %w", err)
	}
	if at.Before(window.Start) || at.After(window.End) || window.IsEmpty() {
		return Forecast{}, fmt.Errorf("at %s outside the window %s", at.Format(time.RFC3339Nano), window)
	}
	length, rest := window.Duration(), window.End.Sub(at)
	f := Forecast{Burn: burn, Seconds: TimeToExhaustion(length, consumed, burn)}
	f.ExhaustsAt = after(at, f.Seconds)
	if !consumed.isFinite() {
		f.Projected = consumed // infinite or absent, whatever the burn rate
		f.BeforeEnd = consumed.IsInf(1)
		return f, nil
	}
	if rest > 0 {
		f.MaxSustainable = oneMinus(consumed).times(NewRatio(int64(length), int64(rest)))
	}
	switch {
	case burn.isFinite():
		f.Projected = consumed.plus(burn.times(NewRatio(int64(rest), int64(length))))
	case burn.IsInf(1) && rest > 0:
		f.Projected = burn
	case burn.IsInf(1):
		f.Projected = consumed
	}
	f.BeforeEnd = f.Projected.Compare(NewRatio(1, 1)) > 0
	return f, nil
}

// after adds seconds to an instant; the zero time stands for "not in reach".
func after(at time.Time, s Ratio) time.Time {
	if !s.isFinite() {
		return time.Time{}
	}
	ns := s.times(NewRatio(int64(time.Second), 1))
	if ns.large == nil {
		return at.Add(time.Duration(ns.num / ns.den)).UTC()
	}
	cut := new(big.Int).Quo(ns.large.Num(), ns.large.Denom())
	if !cut.IsInt64() {
		return time.Time{}
	}
	return at.Add(time.Duration(cut.Int64())).UTC()
}

// Forecast projects the budget with a burn rate, usually that of the last hour.
// A status without a window gives a forecast of absent figures.
func (s Status) Forecast(burn Ratio) Forecast {
	f, err := Project(s.Window, s.At, s.Consumed, burn)
	if err != nil { // Evaluate has validated the rest
		return Forecast{Burn: burn}
	}
	return f
}

// ExhaustingIncident returns the seconds of an incident that uses up the budget
// of a window exactly, when the error ratio is incident during it and base
// otherwise:
//
//	length · (budget - base) / (incident - base)
//
// It is 0 when base alone reaches the budget and +Inf when incident does not
// exceed base or the whole window in incident does not reach the budget. It is
// absent when an argument is absent or infinite.
func ExhaustingIncident(target Target, length time.Duration, base, incident Ratio) Ratio {
	budget := target.Budget()
	if !budget.isFinite() || !base.isFinite() || !incident.isFinite() {
		return Ratio{}
	}
	switch {
	case base.Compare(budget) >= 0:
		return NewRatio(0, 1)
	case incident.Compare(budget) < 0:
		return Inf(1)
	}
	return seconds(length).times(budget.minus(base)).over(incident.minus(base))
}
