package sla

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/span"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// RatePlan is what an agreement makes of outages in one period, prepared for a
// [Batch]. It is safe for concurrent use; any number of customers may share it.
type RatePlan struct {
	covered span.Span
	pricer  *Pricer
	terms   []ratedTerm
}

// ratedTerm is an availability term with all that does not depend on the customer.
type ratedTerm struct {
	figure   int // its place in the figures of the pricer
	uptime   Uptime
	hours    []span.Span
	excluded []span.Span
	promised time.Duration
	blind    bool // nothing was measured: without downtime there is no data
}

// RatePlan prepares a period. Of the evidence it takes what all customers share:
// the observed time, the maintenance, the gaps, and what [Agreement.Pricer] takes.
// The outages come with the batch; they concern every availability term.
//
// The error is [ErrNotCondensed] for what a [Pricer] does not take, for measures
// other than [Uptime], its sum of overlaps, whole outages and outages that begin
// with a report or an effect, for a term of several services or with a target of a
// service, for unknown time that does not count as up, and for
// [LostTime] before the evidence reaches the end of the period; else that of
// [Agreement.Evaluate].
func (a *Agreement) RatePlan(p Period, e Evidence) (*RatePlan, error) {
	e = Evidence{Observed: e.Observed, Maintenance: e.Maintenance, Gaps: e.Gaps, Fees: e.Fees, Invoice: e.Invoice, Issued: e.Issued}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	pricer, err := a.Pricer(p, e)
	if err != nil {
		return nil, err
	}
	if p, _, err = a.clip(p); err != nil {
		return nil, err
	}
	covered := cover(p.Interval, e.Observed)
	plan := &RatePlan{covered: spanOf(covered), pricer: pricer}
	figure := 0
	for _, t := range a.contract.Terms {
		switch t.Clause() {
		case ClauseDataLoss:
			continue // has no figures
		case ClauseAvailability:
			if _, ok := t.Availability.Remedy.(LostTime); ok && covered.End.Before(p.End) {
				return nil, fmt.Errorf("sla: term %q: %w: lost time of a period that is not over", t.ID, ErrNotCondensed)
			}
			rated, err := a.rated(t, covered, e)
			if err != nil {
				return nil, fmt.Errorf("sla: term %q: %w", t.ID, err)
			}
			rated.figure = figure
			plan.terms = append(plan.terms, rated)
		default:
		}
		figure++
	}
	if len(plan.terms) == 0 {
		return nil, fmt.Errorf("%w: no term about availability", ErrNotCondensed)
	}
	return plan, nil
}

func (a *Agreement) rated(t Term, covered calendar.Interval, e Evidence) (ratedTerm, error) {
	var r ratedTerm
	promise, service := *t.Availability, ""
	var ok bool
	if r.uptime, ok = promise.measure().(Uptime); !ok || r.uptime.Overlap == OverlapSum || r.uptime.WholeOutages || r.uptime.FromReport || r.uptime.FromEffect {
		return r, fmt.Errorf("%w: the measure", ErrNotCondensed)
	}
	switch services := promise.Services; {
	case len(services) > 1 || len(services) == 1 && services[0].Target != nil:
		return r, fmt.Errorf("%w: several services, or one with its own target", ErrNotCondensed)
	case len(services) == 1:
		service = services[0].ID
	}
	hours := a.calendars[promise.ServiceHours].Expand(covered.Start, covered.End)
	unknown, err := unknownTime(e, service, hours, covered)
	if err != nil {
		return r, err
	}
	if len(unknown) > 0 && promise.Unknown != UnknownUp {
		return r, fmt.Errorf("%w: unknown time", ErrNotCondensed)
	}
	excluded, err := new(Measured).exclude(nil, a.windows(promise, e, service, covered))
	if err != nil {
		return r, err
	}
	r.blind = calendar.Total(unknown) == calendar.Total(hours)
	r.hours, r.excluded = spansOf(hours), spansOf(excluded)
	if promise.ExcludeMode == FromBoth {
		hours = calendar.Subtract(hours, excluded)
	}
	r.promised = calendar.Total(hours)
	return r, nil
}

// figures returns the figures of a customer who was down in a set of times; dst
// holds what both results of the steps are written to.
func (r *ratedTerm) figures(down []span.Span, dst *[2][]span.Span) Figures {
	dst[0] = span.Intersect(dst[0][:0], down, r.hours)
	down = r.uptime.longEnough(dst[0])
	if r.blind && len(down) == 0 {
		return Figures{}
	}
	dst[1] = span.Subtract(dst[1][:0], down, r.excluded)
	var sum time.Duration
	for _, s := range dst[1] {
		sum = plus(sum, r.uptime.round(time.Duration(s.End-s.Start)))
	}
	return Figures{Promised: r.promised, Down: min(sum, r.promised)}
}

// longEnough takes out the stretches that are too short to count, in place.
func (u Uptime) longEnough(down []span.Span) []span.Span {
	if u.MinOutage <= 0 {
		return down
	}
	kept := down[:0]
	for _, s := range down {
		if !u.tooShort(time.Duration(s.End - s.Start)) {
			kept = append(kept, s)
		}
	}
	return kept
}

func spanOf(i calendar.Interval) span.Span {
	return span.Span{Start: i.Start.UnixNano(), End: i.End.UnixNano()}
}

func spansOf(set []calendar.Interval) []span.Span {
	out := make([]span.Span, len(set))
	for n, i := range set {
		out[n] = spanOf(i)
	}
	return out
}
