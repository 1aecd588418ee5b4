package sla

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// reporter builds the sections of one report.
type reporter struct {
	reckoning
	options ReportOptions
	now     time.Time
}

func (b reporter) services() ([]ServiceReport, error) {
	var out []ServiceReport
	i := 0 // the statement has the services in the same order
	for _, t := range b.agreement.contract.Terms {
		if t.Availability == nil {
			continue
		}
		hours, evidence := b.hours(t.Availability), b.evidence.byService(t.Availability.Services)
		for _, service := range t.Availability.measured() {
			s := ServiceReport{Measured: b.statement.Availability[i], Hours: hours}
			i++
			s.budget(b.covered)
			var err error
			if s.Days, err = b.days(t, service, evidence(service.ID)); err != nil {
				return nil, fmt.Errorf("term %q: %w", t.ID, err)
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// budget fills in what the target allows and how it was used up.
func (s *ServiceReport) budget(covered calendar.Interval) {
	if s.Promised <= 0 {
		return
	}
	allowed, _, _ := fixed.MulDiv(uint64(s.Promised), uint64(whole-s.Target), whole)
	s.Allowed = time.Duration(allowed)
	s.Left = s.Allowed - s.Down
	if !s.Value.IsSet() || calendar.Total(s.Downtime) != s.Down {
		return
	}
	left := s.Allowed
	s.Burn = make([]BudgetPoint, 0, 2*len(s.Downtime)+2)
	point := func(at time.Time) {
		if n := len(s.Burn); n == 0 || at.After(s.Burn[n-1].At) {
			s.Burn = append(s.Burn, BudgetPoint{At: at, Left: left})
		}
	}
	point(covered.Start)
	for _, d := range s.Downtime {
		point(d.Start)
		left -= d.Duration()
		point(d.End)
	}
	point(covered.End)
}

// days measures each local day of the period by itself.
func (b reporter) days(t Term, service Service, e Evidence) ([]Day, error) {
	loc, period := b.agreement.loc, b.statement.Period
	var out []Day
	for wall := wallclock.Midnight(wallclock.At(period.Start, loc)); ; {
		next := wall.AddDate(0, 0, 1)
		day := calendar.Interval{Start: wallclock.Resolve(wall, loc, wallclock.First), End: wallclock.Resolve(next, loc, wallclock.First)}
		if !day.Start.Before(period.End) {
			return out, nil
		}
		if part, ok := day.Clip(period.Interval); ok { // a zone may skip a whole day
			d, err := b.day(t, service, e, part)
			if err != nil {
				return nil, err
			}
			d.Date = wall.Format(time.DateOnly)
			out = append(out, d)
		}
		wall = next
	}
}

func (b reporter) day(t Term, service Service, e Evidence, day calendar.Interval) (Day, error) {
	d := Day{Interval: day, Outcome: NoData}
	covered, ok := day.Clip(b.covered)
	if !ok {
		return d, nil
	}
	m, err := b.agreement.measure(t, service, covered, e)
	if err != nil {
		return Day{}, err
	}
	d.Promised, d.Down, d.Excluded, d.Degraded, d.Unknown = m.Promised, m.Down, m.Excluded, m.Degraded, m.Unknown
	d.Value, d.Outcome = m.Value, m.Outcome
	return d, nil
}

func (b reporter) incidents() IncidentSummary {
	s := IncidentSummary{Total: b.opened(0), MTTRFrom: FromDetected}
	for _, severity := range incident.Severities {
		r := SeverityReport{
			Severity: severity, Count: b.opened(severity),
			Detect: b.timing(detectTime, severity), Acknowledge: b.timing(acknowledgeTime, severity), Restore: b.timing(restoreTime, severity),
		}
		for _, in := range b.evidence.Incidents {
			if in.Severity == severity && in.Opened.Before(b.covered.End) && (in.Resolved.IsZero() || !in.Resolved.Before(b.covered.End)) {
				r.OpenAtEnd++
			}
		}
		for _, c := range b.statement.Clocks {
			if c.Severity == severity {
				r.count(c)
			}
		}
		s.BySeverity = append(s.BySeverity, r)
	}
	return s
}

func (r *SeverityReport) count(t Tally) {
	c := &r.Resolution
	switch t.Clause {
	case ClauseResponse:
		c = &r.Response
	case ClauseUpdate:
		c = &r.Update
	default:
	}
	c.Met += t.Met
	c.Missed += t.Missed
	c.Pending += t.Pending
}

func (b reporter) clocks() ([]ClockReport, error) {
	var out []ClockReport
	for _, t := range b.agreement.contract.Terms {
		clock, clause := t.clock()
		if clock == nil {
			continue
		}
		took, err := b.took(clause, clock)
		if err != nil {
			return nil, fmt.Errorf("term %q, %w", t.ID, err)
		}
		for i, target := range clock.Targets {
			out = append(out, ClockReport{
				Tally: b.statement.Clocks[len(out)], Within: target.Within, Strict: clock.Strict, Took: timingOf(took[i]), // in the same order
			})
		}
	}
	return out, nil
}

// took returns the times on the clocks that stopped, by target.
func (b reporter) took(clause Clause, clock *Clock) ([][]time.Duration, error) {
	took := make([][]time.Duration, len(clock.Targets))
	var legs []leg
	for i := range b.evidence.Incidents {
		in := &b.evidence.Incidents[i]
		if !in.Opened.Before(b.covered.End) {
			continue
		}
		h, err := newHistory(in, b.covered.End)
		if err != nil {
			return nil, fmt.Errorf("incident %q: %w", in.ID, err)
		}
		legs = h.legs(legs[:0], clause, clock)
		for _, l := range legs {
			target := clock.targetOf(h.severity(clock, l))
			if target < 0 || l.how != stopped || !b.covered.Contains(l.end) {
				continue
			}
			run, err := b.agreement.run(&h, clause, clock, l)
			if err != nil {
				return nil, fmt.Errorf("incident %q: %w", in.ID, err)
			}
			took[target] = append(took[target], run.elapsed)
		}
	}
	return took, nil
}

func (b reporter) maintenance() MaintenanceReport {
	var r MaintenanceReport
	t, _ := b.first()
	for _, m := range b.evidence.Maintenance {
		if m.Cancelled {
			continue
		}
		w := PlannedWork{Maintenance: m, NoticeOK: true}
		if !m.Announced.IsZero() {
			w.Notice = m.Start.Sub(m.Announced)
		}
		if t != nil {
			w.NoticeOK = b.agreement.noticed(*t.Availability, m)
		}
		if b.covered.Contains(m.Start) {
			r.Past = append(r.Past, w)
		}
		if !m.Start.Before(b.now) {
			r.Upcoming = append(r.Upcoming, w)
		}
	}
	for _, list := range [][]PlannedWork{r.Past, r.Upcoming} {
		slices.SortStableFunc(list, func(x, y PlannedWork) int { return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.Ref, y.Ref)) })
	}
	return r
}

func (b reporter) trend() ([]TrendMonth, error) {
	n := b.options.Trend
	if n == 0 {
		n = 3
	}
	var out []TrendMonth
	for i := n - 1; i >= 0; i-- {
		month, err := b.month(Billing{}.Following(b.statement.Period.End.Add(-1), -i, b.agreement.loc))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", month.Month, err)
		}
		out = append(out, month)
	}
	return out, nil
}

// month measures a calendar month, without what a miss would cost.
func (b reporter) month(p Period) (TrendMonth, error) {
	m := TrendMonth{Month: p.Label, Outcome: NoData}
	t, _ := b.first()
	if t != nil {
		m.Target = t.Availability.Target
	}
	period, fee, err := b.agreement.clip(p)
	if errors.Is(err, ErrNotInForce) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	covered := cover(period.Interval, b.evidence.Observed)
	r := reckoning{agreement: b.agreement, evidence: b.evidence, covered: covered}
	m.Incidents, m.Restore = r.opened(0), r.timing(restoreTime, 0)
	if t == nil {
		return m, nil
	}
	unpaid := *t.Availability
	unpaid.Remedy = nil
	ev := evaluation{agreement: b.agreement, evidence: b.evidence, covered: covered, statement: Statement{Period: period, Fee: fee}}
	if err := ev.availability(Term{ID: t.ID, Availability: &unpaid}); err != nil {
		return m, err
	}
	m.Value, m.Outcome = ev.statement.Overall[0].Value, ev.statement.Overall[0].Outcome
	return m, nil
}

func (b reporter) breaches() []BreachReport {
	byID := map[string]Incident{}
	for _, in := range b.evidence.Incidents {
		if _, ok := byID[in.ID]; !ok {
			byID[in.ID] = in
		}
	}
	var out []BreachReport
	for _, breach := range b.statement.Breaches {
		r := BreachReport{Breach: breach}
		var causes, actions []string
		for _, id := range b.behind(breach, byID) {
			in, ok := byID[id]
			if !ok {
				continue
			}
			r.Incidents = append(r.Incidents, id)
			causes, actions = addText(causes, in.Cause), addText(actions, in.Action)
		}
		r.Cause, r.Action = strings.Join(causes, "; "), strings.Join(actions, "; ")
		out = append(out, r)
	}
	return out
}

// behind returns the refs that a breach goes back to, sorted.
func (b reporter) behind(breach Breach, incidents map[string]Incident) []string {
	switch breach.Clause {
	case ClauseAvailability:
		var refs []string
		for _, m := range b.statement.Availability {
			if m.Term == breach.Term && (breach.Service == "" || m.Service == breach.Service) {
				refs = append(refs, m.Evidence...)
			}
		}
		slices.Sort(refs)
		return slices.Compact(refs)
	case ClauseResponse, ClauseUpdate, ClauseResolution:
		at := strings.LastIndexByte(breach.Ref, '#')
		if _, ok := incidents[breach.Ref]; ok || at < 0 {
			return []string{breach.Ref}
		}
		return []string{breach.Ref[:at]} // of an update, or a run of a clock
	default:
		return nil
	}
}

func addText(texts []string, text string) []string {
	if text == "" || slices.Contains(texts, text) {
		return texts
	}
	return append(texts, text)
}

func (b reporter) keyFigures() ([]KeyFigure, error) {
	targets := ReferenceKPITargets()
	maps.Copy(targets, b.options.KPITargets)
	delete(targets, KPIUptime)
	t, _ := b.first()
	if t != nil {
		targets[KPIUptime] = t.Availability.limit()
	}
	var out []KeyFigure
	for _, k := range KPIs {
		if !b.given(k) {
			continue
		}
		f, err := b.figure(k, targets[k])
		if err != nil {
			return nil, err
		}
		if k == KPIUptime && t != nil {
			f.Outcome = b.overall(t.ID) // services may have targets of their own
		}
		out = append(out, f)
	}
	return out, nil
}

func (b reporter) overall(term string) Outcome {
	for _, o := range b.statement.Overall {
		if o.Term == term {
			return o.Outcome
		}
	}
	return NoData
}

// limit returns the target as a text form of it reads.
func (a *Availability) limit() incident.Target {
	comparison := ">= "
	if a.Strict {
		comparison = "> "
	}
	t, _ := incident.ParseTarget(comparison + a.Target.String()) // a percentage, always readable
	return t
}
