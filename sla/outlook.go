package sla

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Outlook says at an instant within a period what can still go wrong in it: how
// much more downtime each service may have, when it would be used up, and what
// that would cost.
type Outlook struct {
	Contract string    `json:"contract"`
	At       time.Time `json:"at"`

	// Period is the part of the period in which the contract holds.
	Period Period `json:"period"`

	// Services holds the availability terms in the order of the contract, then of
	// their services. One whose downtime can not be condensed to a figure, or that
	// was never measured, is missing here and has a finding.
	Services []ServiceOutlook `json:"services,omitempty"`

	// Clocks are those that run or are paused and have not missed their target,
	// the most urgent first.
	Clocks []ClockOutlook `json:"clocks,omitempty"`

	// SoFar is payable if nothing more happens: no downtime, and no clock that
	// runs is missed. Worst is payable if everything is down from At to the end of
	// the period and nothing that runs now is answered, waits for the customer
	// over. New incidents, gaps in the monitoring and lost data are not part of
	// it. Both are what is left under the caps of the contract. AtRisk is
	// Worst − SoFar.
	SoFar  money.Amount `json:"so_far"`
	Worst  money.Amount `json:"worst"`
	AtRisk money.Amount `json:"at_risk"`

	// Findings are those of the statement behind SoFar, and what the outlook does
	// not cover.
	Findings []Finding `json:"findings,omitempty"`
}

// ServiceOutlook is the downtime that a service may still have.
type ServiceOutlook struct {
	Term    string        `json:"term"`
	Service string        `json:"service,omitempty"`
	Target  money.Percent `json:"target"`

	// Outcome, Value and Credit are those of the whole period if nothing more
	// happens. Band is the one that holds the value; nil if there is none.
	Outcome Outcome      `json:"outcome"`
	Value   Fraction     `json:"value"`
	Band    *Band        `json:"band,omitempty"`
	Credit  money.Amount `json:"credit"`

	Promised time.Duration `json:"promised_ns"` // of the whole period
	Down     time.Duration `json:"down_ns"`     // what counts, so far
	Rest     time.Duration `json:"rest_ns"`     // promised time still to come, in which more downtime would count

	// Left is the longest further downtime with which the target is met, to the
	// nanosecond. It is negative after a miss. More than Rest can not happen.
	Left time.Duration `json:"left_ns"`

	// BreachAt is the last instant at which the target is still met if the service
	// goes down at once and stays down. Zero after a miss, and where the rest of
	// the period is too short for one.
	BreachAt time.Time `json:"breach_at,omitzero"`

	// Ahead are the bands that more downtime would lead to, the nearest first.
	Ahead []BandAhead `json:"ahead,omitempty"`
}

// BandAhead is a credit band that a service may still fall into.
type BandAhead struct {
	// Left is the longest further downtime before the band begins, At the last
	// instant before it does if the service goes down at once and stays down; zero
	// where the rest of the period is too short.
	Left time.Duration `json:"left_ns"`
	At   time.Time     `json:"at,omitzero"`

	// Band is nil for values between two bands, which earn nothing.
	Band *Band `json:"band,omitempty"`

	// Credit is what the band by itself earns, before bounds and stacking.
	Credit money.Amount `json:"credit"`
}

// ClockOutlook is a clock that may still be missed: from BreachAt on, which may
// lie after the end of the period.
type ClockOutlook struct {
	ClockState

	// Credit is what the miss by itself earns, before bounds and stacking; under
	// Clock.MeanToo it also takes a mean above the target.
	Credit money.Amount `json:"credit"`
}

// Outlook looks ahead from an instant to the end of the period. What the evidence
// has after that instant is not known yet, and an open outage ends there: the rest
// of the period counts as up. Maintenance announced by then, or without an
// announcement, is known. The time between the end of the evidence and the instant
// is unknown. An instant outside the period is taken as its start or end.
//
// Errors are those of [Agreement.Evaluate]. It costs two evaluations.
func (a *Agreement) Outlook(p Period, e Evidence, at time.Time) (Outlook, error) {
	p, fee, err := a.clip(p)
	if err != nil {
		return Outlook{}, err
	}
	if err := errors.Join(e.Validate(), a.suits(e)); err != nil {
		return Outlook{}, err
	}
	from := at.UTC()
	switch {
	case from.Before(p.Start):
		from = p.Start
	case from.After(p.End):
		from = p.End
	}
	e = e.knownAt(from).observedUntil(p.Start, from)
	now := evaluation{agreement: a, evidence: e, covered: p.Interval, now: from}
	soFar, err := now.run(p, fee)
	if err != nil {
		return Outlook{}, err
	}
	o := Outlook{Contract: a.contract.ID, At: from, Period: p, SoFar: soFar.Payable, Findings: soFar.Findings}
	if o.Worst, err = a.worst(p, fee, e, from); err != nil {
		return Outlook{}, err
	}
	if o.AtRisk, err = o.Worst.Sub(o.SoFar); err != nil {
		return Outlook{}, err
	}
	measured := soFar.Availability
	for _, t := range a.contract.Terms {
		if t.Availability == nil {
			continue
		}
		n := len(t.Availability.measured())
		for _, m := range measured[:n] {
			if err := o.service(a, t, m, fee, e); err != nil {
				return Outlook{}, fmt.Errorf("sla: term %q: %w", t.ID, err)
			}
		}
		measured = measured[n:]
	}
	err = o.clocks(a, e, fee)
	return o, err
}

// worst returns what is payable if all is down from an instant on and nothing that
// runs is answered.
func (a *Agreement) worst(p Period, fee money.Amount, e Evidence, from time.Time) (money.Amount, error) {
	if e.Observed.End.Before(p.End) {
		e.Observed.End = p.End
	}
	e.Outages = append(slices.Clip(e.Outages), Outage{Service: "*", Start: from, End: p.End})
	ev := evaluation{agreement: a, evidence: e, covered: p.Interval}
	s, err := ev.run(p, fee)
	return s.Payable, err
}

// service adds the outlook of a service.
func (o *Outlook) service(a *Agreement, t Term, m Measured, fee money.Amount, e Evidence) error {
	find := func(code, text string) {
		o.Findings = append(o.Findings, Finding{Code: code, Term: t.ID, Ref: m.Service, Text: text})
	}
	switch {
	case !t.Availability.additive():
		find(FindingNotCondensed, "the measure makes of more downtime something else than its length")
		return nil
	case t.Availability.Aggregate == Mean || t.Availability.Aggregate == Weighted:
		find(FindingNotCondensed, "the services are judged together")
		return nil
	case m.Outcome == NoData:
		return nil // the statement has a finding
	}
	ahead, err := a.countable(*t.Availability, m.Service, o.At, o.Period.End, e)
	if err != nil {
		return err
	}
	s := ServiceOutlook{
		Term: t.ID, Service: m.Service, Target: m.Target, Outcome: m.Outcome, Value: m.Value,
		Promised: m.Promised, Down: m.Down, Rest: calendar.Total(ahead), Left: mostDown(m.Promised, m.Target, t.Availability.Strict) - m.Down,
		Credit: fee.Zero(),
	}
	s.BreachAt = lastWithin(ahead, s.Left)
	base, _ := e.feeBase(t, fee)
	steps := bandSteps{promised: m.Promised, target: m.Target, strict: t.Availability.Strict}
	steps.bands, _ = t.Availability.Remedy.(Bands)
	amount := func(b *Band) (money.Amount, error) {
		if b == nil {
			return fee.Zero(), nil
		}
		return b.amount(base, int64(a.localDays(o.Period)), a.contract.Rounding)
	}
	if s.Band = steps.at(m.Down); s.Band != nil {
		if s.Credit, err = amount(s.Band); err != nil {
			return err
		}
	}
	for _, step := range steps.after(m.Down) {
		step.At = lastWithin(ahead, step.Left)
		if step.Credit, err = amount(step.Band); err != nil {
			return err
		}
		s.Ahead = append(s.Ahead, step)
	}
	o.Services = append(o.Services, s)
	return nil
}

// additive reports whether a nanosecond of further downtime counts as one, whatever
// came before it.
func (t Availability) additive() bool {
	u, ok := t.measure().(Uptime)
	return ok && u.MinOutage <= 0 && (u.Unit <= 0 || u.Partial == PartialExact) && u.Overlap == OverlapUnion && !u.WholeOutages
}

// countable returns the time of a service from one instant to another in which
// downtime would count.
func (a *Agreement) countable(t Availability, service string, from, to time.Time, e Evidence) ([]calendar.Interval, error) {
	covered := calendar.Interval{Start: from, End: to}
	excluded, err := new(Measured).exclude(nil, a.windows(t, e, service, covered))
	return calendar.Subtract(a.calendars[t.ServiceHours].Expand(from, to), excluded), err
}

// mostDown returns the longest downtime with which a value is at least a
// percentage, or with above greater; negative if none is short enough:
//
//	(promised − down) · 10⁹ ≥ p · promised  ⇔  down ≤ ⌊promised · (10⁹ − p) / 10⁹⌋
func mostDown(promised time.Duration, p money.Percent, above bool) time.Duration {
	most, rest, _ := fixed.MulDiv(uint64(promised), uint64(whole-p), whole)
	if above && rest == 0 {
		return time.Duration(most) - 1
	}
	return time.Duration(most)
}

// lastWithin returns the latest instant before which no more than that much of a
// set has passed; zero if that is never exceeded, or was before.
func lastWithin(set []calendar.Interval, left time.Duration) time.Time {
	if left < 0 {
		return time.Time{}
	}
	for _, i := range set {
		if left < i.Duration() {
			return i.Start.Add(left)
		}
		left -= i.Duration()
	}
	return time.Time{}
}

// bandSteps is the band as a function of the downtime, which changes in few
// places only.
type bandSteps struct {
	promised time.Duration
	target   money.Percent
	strict   bool
	bands    Bands
}

// at returns the band of a downtime, nil for none.
func (s bandSteps) at(down time.Duration) *Band {
	m := Measured{Target: s.target}
	m.Value = fractionOfCounts(uint64(s.promised-down), uint64(s.promised))
	if m.judge(s.strict); m.Outcome != Missed {
		return nil
	}
	if band, ok := s.bands.Find(m.Value); ok {
		return &band
	}
	return nil
}

// after returns where the band changes beyond a downtime. It can do so only where
// the value leaves the target or the upper bound of a band: a contract has no gap
// between two bands or below the last one.
func (s bandSteps) after(down time.Duration) (steps []BandAhead) {
	percents := []money.Percent{s.target}
	for _, b := range s.bands.Bands {
		percents = append(percents, b.Below)
	}
	var last []time.Duration
	for _, p := range percents {
		last = append(last, mostDown(s.promised, p, false), mostDown(s.promised, p, true))
	}
	slices.Sort(last)
	for _, most := range slices.Compact(last) {
		if most < down || most >= s.promised {
			continue
		}
		before, next := s.at(most), s.at(most+1)
		if before != next && (before == nil || next == nil || *before != *next) {
			steps = append(steps, BandAhead{Left: most - down, Band: next})
		}
	}
	return steps
}

// clocks adds the clocks that may still be missed.
func (o *Outlook) clocks(a *Agreement, e Evidence, fee money.Amount) error {
	for i := range e.Incidents {
		in := &e.Incidents[i]
		h, err := newHistory(in, o.At)
		if err != nil {
			return clockError("", in.ID, err)
		}
		for j := range a.contract.Terms {
			t := &a.contract.Terms[j]
			state, ok, err := a.clockState(&h, t)
			switch {
			case errors.Is(err, calendar.ErrUnreachable):
				o.Findings = append(o.Findings, Finding{Code: FindingNotCondensed, Term: t.ID, Ref: in.ID, Text: "the calendar never reaches the target"})
				continue
			case err != nil:
				return clockError(t.ID, in.ID, err)
			case !ok || state.Outcome != Pending && state.Outcome != Paused:
				continue
			}
			c := ClockOutlook{ClockState: state}
			if c.Credit, err = a.lateCredit(*t, state, fee, e); err != nil {
				return clockError(t.ID, in.ID, err)
			}
			o.Clocks = append(o.Clocks, c)
		}
	}
	slices.SortStableFunc(o.Clocks, func(x, y ClockOutlook) int {
		return cmp.Or(x.BreachAt.Compare(y.BreachAt), cmp.Compare(x.Incident, y.Incident))
	})
	return nil
}

// lateCredit returns what the miss of a clock earns.
func (a *Agreement) lateCredit(t Term, state ClockState, fee money.Amount, e Evidence) (money.Amount, error) {
	clock, _ := t.clock()
	target := clock.Targets[clock.targetOf(state.Severity)]
	if target.Credit.IsSet() {
		return target.Credit, nil
	}
	base, _ := e.feeBase(t, fee)
	return base.Percent(target.CreditPercent, a.contract.Rounding)
}
