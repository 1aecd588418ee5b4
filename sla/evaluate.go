package sla

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Evaluate checks the contract and returns the statement of one period. It is
// [Compile] and [Agreement.Evaluate]; to evaluate a contract more than once,
// compile it.
func Evaluate(c Contract, p Period, e Evidence) (Statement, error) {
	a, err := Compile(c)
	if err != nil {
		return Statement{}, err
	}
	return a.Evaluate(p, e)
}

// Evaluate returns the statement of one period. The order of the evidence does
// not matter. Errors are [ErrPeriod], [ErrNotInForce], [*EvidenceError] (joined)
// and those of package money for an amount out of range or in another currency.
func (a *Agreement) Evaluate(p Period, e Evidence) (Statement, error) {
	p, fee, err := a.clip(p)
	if err != nil {
		return Statement{}, err
	}
	if err := e.Validate(); err != nil {
		return Statement{}, err
	}
	ev := &evaluation{agreement: a, evidence: e, covered: cover(p.Interval, e.Observed)}
	ev.statement = Statement{
		Contract: a.contract.ID, Customer: a.contract.Customer, Period: p, Fee: fee,
		Through: ev.covered.End, Complete: ev.covered.End.Equal(p.End),
	}
	if !ev.statement.Complete {
		ev.find(FindingEstimate, "", "", "evidence ends at "+ev.covered.End.Format(time.RFC3339))
	}
	for _, t := range a.contract.Terms {
		if err := ev.term(t); err != nil {
			return Statement{}, fmt.Errorf("sla: term %q: %w", t.ID, err)
		}
	}
	ev.unassigned()
	ev.sort()
	if err := ev.settle(); err != nil {
		return Statement{}, fmt.Errorf("sla: %w", err)
	}
	return ev.statement, nil
}

// cover returns the part of the period that the evidence reaches the end of.
func cover(p, observed calendar.Interval) calendar.Interval {
	end := p.Start
	if !observed.IsEmpty() && observed.End.After(p.Start) {
		end = observed.End.UTC()
	}
	if end.After(p.End) {
		end = p.End
	}
	return calendar.Interval{Start: p.Start, End: end}
}

// evaluation builds one statement.
type evaluation struct {
	agreement *Agreement
	evidence  Evidence
	covered   calendar.Interval
	statement Statement
}

func (ev *evaluation) term(t Term) error {
	switch t.Clause() {
	case ClauseAvailability:
		return ev.availability(t)
	case ClauseResponse:
		return ev.clock(t, ClauseResponse, t.Response)
	case ClauseResolution:
		return ev.clock(t, ClauseResolution, t.Resolution)
	case ClauseMonitoring:
		return ev.monitoring(t)
	case ClauseDataLoss:
		return ev.losses(t)
	}
	return nil
}

func (ev *evaluation) find(code, term, ref, text string) {
	ev.statement.Findings = append(ev.statement.Findings, Finding{Code: code, Term: term, Ref: ref, Text: text})
}

// breach records a miss and, where there is one, the line that it earned.
func (ev *evaluation) breach(b Breach, line *Line) {
	b.Credit = ev.statement.Fee.Zero()
	if line != nil {
		line.Term, line.Clause, line.Ref, line.Service, line.Severity = b.Term, b.Clause, b.Ref, b.Service, b.Severity
		line.Rounding = ev.agreement.contract.Rounding
		b.Credit = line.Amount
		ev.statement.Lines = append(ev.statement.Lines, *line)
	}
	ev.statement.Breaches = append(ev.statement.Breaches, b)
}

func (ev *evaluation) availability(t Term) error {
	services := t.Availability.Services
	if len(services) == 0 {
		services = []Service{{}}
	}
	var missed []Measured
	for _, service := range services {
		m, err := ev.agreement.measure(t, service, ev.covered, ev.evidence)
		if err != nil {
			return err
		}
		ev.statement.Availability = append(ev.statement.Availability, m)
		switch m.Outcome {
		case Missed:
			missed = append(missed, m)
		case NoData:
			ev.find(FindingNoData, t.ID, m.Service, "nothing was measured")
		default:
		}
		if m.Unknown > 0 && m.Outcome != NoData {
			ev.find(FindingUnknown, t.ID, m.Service, fmt.Sprintf("%s not monitored, counted as %q", m.Unknown, t.Availability.Unknown))
		}
	}
	slices.SortStableFunc(missed, func(a, b Measured) int {
		return cmp.Or(a.Value.Compare(b.Value), cmp.Compare(a.Service, b.Service))
	})
	for i, m := range missed {
		if err := ev.missedAvailability(t, m, i == 0 || t.Availability.Aggregate == PerService); err != nil {
			return err
		}
	}
	return nil
}

func (ev *evaluation) missedAvailability(t Term, m Measured, pays bool) error {
	b := Breach{
		Term: t.ID, Clause: ClauseAvailability, Ref: cmp.Or(m.Service, t.ID), Service: m.Service, At: ev.covered.End, Target: m.Target, Value: m.Value,
	}
	if !pays || len(t.Availability.Bands) == 0 {
		ev.breach(b, nil)
		return nil
	}
	line := Line{Basis: PercentOfFee, Value: m.Value, Fee: ev.statement.Fee, Evidence: m.Evidence}
	if q := t.Availability.Requests; q == nil || q.Method != MeanErrorRate {
		line.Numerator, line.Denominator = m.Promised-m.Down, m.Promised
	}
	r, err := ev.agreement.contract.Rounding, error(nil)
	band, ok := t.Availability.band(m.Value)
	switch {
	case ok && band.Days > 0:
		line.Band, line.Basis, line.Days, line.DaysOf = &band, DaysOfFee, band.Days, ev.localDays()
		line.Amount, err = line.Fee.Share(int64(line.Days), int64(line.DaysOf), r)
	case ok:
		line.Band, line.Rate = &band, band.Credit
		line.Amount, err = line.Fee.Percent(line.Rate, r)
	default:
		line.Amount = line.Fee.Zero()
		ev.find(CodeCreditGap, t.ID, b.Ref, fmt.Sprintf("%s %% misses the target %s but lies in no credit band", m.Value.Percent(6), m.Target))
	}
	if err != nil {
		return err
	}
	ev.breach(b, &line)
	return nil
}

// localDays returns how many local midnights the period has, at least 1.
func (ev *evaluation) localDays() int {
	p, loc := ev.statement.Period, ev.agreement.loc
	first, last := wallclock.Midnight(wallclock.At(p.Start, loc)), wallclock.At(p.End.Add(-1), loc)
	return int(last.Sub(first)/(24*time.Hour)) + 1
}

// band returns the band that holds the value of a missed target.
func (a Availability) band(value Fraction) (Band, bool) {
	for _, b := range a.Bands {
		if b.Holds(value) {
			return b, true
		}
	}
	if len(a.Bands) > 0 && a.ExtendTopBand && value.ComparePercent(a.Bands[0].Below) >= 0 {
		return a.Bands[0], true
	}
	return Band{}, false
}

// unassigned reports evidence about services that no availability term names;
// without such a list every service counts.
func (ev *evaluation) unassigned() {
	known := map[string]bool{"": true, "*": true}
	listed := false
	for _, t := range ev.agreement.contract.Terms {
		if t.Availability == nil {
			continue
		}
		if len(t.Availability.Services) == 0 {
			return
		}
		for _, s := range t.Availability.Services {
			known[s.ID], listed = true, true
		}
	}
	if !listed {
		return
	}
	counts := map[string]int{}
	count := func(service string, overlaps bool) {
		if !known[service] && overlaps {
			counts[service]++
		}
	}
	for _, o := range ev.evidence.Outages {
		count(o.Service, o.interval(ev.covered.End).Overlaps(ev.covered))
	}
	for _, m := range ev.evidence.Maintenance {
		count(m.Service, !m.Cancelled && ev.covered.Overlaps(calendar.Interval{Start: m.Start, End: m.End}))
	}
	for _, g := range ev.evidence.Gaps {
		count(g.Service, stretch(g.Start, g.End, ev.covered.End).Overlaps(ev.covered))
	}
	for _, r := range ev.evidence.Requests {
		count(r.Service, ev.covered.Contains(r.Start))
	}
	for _, service := range slices.Sorted(maps.Keys(counts)) {
		ev.find(FindingUnassigned, "", service, fmt.Sprintf("%d outages, windows, gaps and counts of a service that no term names", counts[service]))
	}
}

// sort brings breaches and lines into the order of clause, term, ref and time.
func (ev *evaluation) sort() {
	terms := map[string]int{}
	for i, t := range ev.agreement.contract.Terms {
		terms[t.ID] = i
	}
	slices.SortStableFunc(ev.statement.Breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(rank(a.Clause), rank(b.Clause)), cmp.Compare(terms[a.Term], terms[b.Term]), cmp.Compare(a.Ref, b.Ref), a.At.Compare(b.At))
	})
	slices.SortStableFunc(ev.statement.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a.Clause), rank(b.Clause)), cmp.Compare(terms[a.Term], terms[b.Term]), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Numerator, b.Numerator))
	})
}

func rank(c Clause) int { return slices.Index(Clauses[:], c) }

// clock counts the incidents of a response or resolution term and records the
// misses of the period.
func (ev *evaluation) clock(t Term, clause Clause, c *Clock) error {
	incidents := slices.Clone(ev.evidence.Incidents)
	slices.SortStableFunc(incidents, func(a, b Incident) int { return cmp.Compare(a.ID, b.ID) })
	covered := map[incident.Severity]bool{}
	for _, target := range c.Targets {
		covered[target.Severity] = true
		tally := Tally{Term: t.ID, Clause: clause, Severity: target.Severity}
		mean := meanTime{}
		var late []lateClock
		for _, in := range incidents {
			if in.Severity != target.Severity || !in.Opened.Before(ev.covered.End) {
				continue
			}
			r, err := ev.agreement.run(clause, c, target, in, ev.covered.End)
			if err != nil {
				return fmt.Errorf("incident %q: %w", in.ID, err)
			}
			outcome, at, err := ev.outcome(&r)
			if err != nil {
				return fmt.Errorf("incident %q: %w", in.ID, err)
			}
			switch outcome {
			case Met:
				tally.Met++
			case Missed:
				tally.Missed++
				late = append(late, lateClock{incident: in, run: r, at: at})
			case Pending:
				tally.Pending++
				continue
			default:
				continue
			}
			mean.add(r.elapsed)
		}
		ev.statement.Clocks = append(ev.statement.Clocks, tally)
		if err := ev.late(t.ID, clause, c, target, late, mean); err != nil {
			return err
		}
	}
	ev.withoutTarget(t.ID, covered)
	return nil
}

type lateClock struct {
	incident Incident
	run      run
	at       time.Time
}

// outcome says what a clock means for the period: Met, Missed or Pending, or ""
// if it belongs to another one. at is the instant of a miss.
func (ev *evaluation) outcome(r *run) (outcome Outcome, at time.Time, err error) {
	if !r.missed {
		switch {
		case r.stopped.IsZero():
			return Pending, time.Time{}, nil
		case ev.covered.Contains(r.stopped):
			return Met, time.Time{}, nil
		}
		return "", time.Time{}, nil
	}
	if at, err = r.breach(); err != nil {
		return "", time.Time{}, err
	}
	switch {
	case ev.covered.Contains(at):
		return Missed, at, nil
	case !at.Before(ev.covered.End):
		return Pending, time.Time{}, nil // missed in the instant that begins the next period
	}
	return "", time.Time{}, nil
}

func (ev *evaluation) late(term string, clause Clause, c *Clock, target Target, late []lateClock, mean meanTime) error {
	earns := target.Credit.IsSet() || target.CreditPercent > 0
	if c.MeanToo && target.NextDay == nil && !mean.misses(target.Within, c.Strict) {
		if len(late) > 0 && earns {
			ev.find(FindingMeanMet, term, target.Severity.String(), fmt.Sprintf("%d late, but the mean of %d is within %s", len(late), mean.n, target.Within))
		}
		earns = false
	}
	for _, l := range late {
		b := Breach{
			Term: term, Clause: clause, Ref: l.incident.ID, Service: l.incident.Service, Severity: target.Severity,
			At: l.at, Promised: target.Within, Actual: l.run.elapsed,
		}
		if !earns {
			ev.breach(b, nil)
			continue
		}
		line := Line{Numerator: b.Actual, Denominator: b.Promised, Evidence: []string{l.incident.ID}}
		if target.Credit.IsSet() {
			line.Basis, line.Amount = PerIncident, target.Credit
		} else {
			var err error
			line.Basis, line.Fee, line.Rate = PercentOfFee, ev.statement.Fee, target.CreditPercent
			if line.Amount, err = line.Fee.Percent(line.Rate, ev.agreement.contract.Rounding); err != nil {
				return err
			}
		}
		ev.breach(b, &line)
	}
	return nil
}

// withoutTarget reports incidents that a term has no target for.
func (ev *evaluation) withoutTarget(term string, targets map[incident.Severity]bool) {
	counts := map[incident.Severity]int{}
	for _, in := range ev.evidence.Incidents {
		if !targets[in.Severity] && ev.covered.Contains(in.Opened) {
			counts[in.Severity]++
		}
	}
	for _, s := range incident.Severities {
		if counts[s] > 0 {
			ev.find(FindingNoTarget, term, s.String(), fmt.Sprintf("%d incidents without a target", counts[s]))
		}
	}
}
