package pricing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// statement evaluates the drawn period in full, for contracts whose credits depend
// on more than totals.
func (d *drawer) statement() error {
	e := d.plan.evidence
	e.Outages = d.outages
	for _, g := range d.gaps {
		e.Gaps = append(e.Gaps, sla.Gap{Start: d.instant(g.Start), End: d.instant(g.End)})
	}
	for clause, severities := range d.late {
		for severity, n := range severities {
			for k := range n {
				in := *d.plan.templates[clause][severity]
				in.ID = fmt.Sprintf("%s-%d", in.ID, k)
				e.Incidents = append(e.Incidents, in)
			}
		}
	}
	s, err := d.plan.agreement.Evaluate(d.plan.asked, e)
	if err != nil {
		return err
	}
	d.read(s)
	return nil
}

func (d *drawer) read(s sla.Statement) {
	r := &d.result
	r.payable, r.paid = s.Payable.Minor(), [len(sla.Clauses)]int64{}
	r.capped = slices.ContainsFunc(s.Findings, func(f sla.Finding) bool { return f.Code == sla.FindingCapped })
	for _, w := range s.Waterfall {
		r.paid[slices.Index(sla.Clauses[:], w.Clause)] = w.Payable.Minor()
	}
	for i := range d.plan.watched {
		r.outcomes[i] = d.plan.watched[i].read(s)
	}
}

// read finds the outcome of the term in a statement.
func (w *watched) read(s sla.Statement) int {
	at := slices.IndexFunc(s.Overall, func(o sla.Overall) bool { return o.Term == w.id })
	overall := s.Overall[at]
	switch overall.Outcome {
	case sla.Met:
		return atMet
	case sla.NoData:
		return w.noData()
	default:
	}
	for _, l := range s.Lines {
		if l.Term != w.id || l.Band == nil || overall.Service != "" && l.Service != overall.Service {
			continue
		}
		if i := slices.IndexFunc(w.bands, func(b BandShare) bool { return b.Band != nil && *b.Band == *l.Band }); i >= 0 {
			return i
		}
	}
	return atMissed
}

// lateTemplates makes an incident for each stream that is late under its clause
// and under no other, and checks that a statement says so.
func (pl *plan) lateTemplates() error {
	need := func(clause int, severity incident.Severity, path string) error {
		if pl.templates[clause][severity-incident.P1] != nil {
			return nil
		}
		in, err := pl.lateIncident(clause, severity)
		if err != nil {
			return &ModelError{Path: path, Value: string(clocks[clause]) + " " + severity.String(), Want: "an incident that is late in this way alone", Err: err}
		}
		pl.templates[clause][severity-incident.P1] = &in
		return nil
	}
	for i, l := range pl.model.Late {
		if l.PerPeriod*l.Probability == 0 {
			continue
		}
		if err := need(slices.Index(clocks[:], l.Clause), l.Severity, fmt.Sprintf("late[%d]", i)); err != nil {
			return err
		}
	}
	for i, p := range pl.past {
		for clause, severities := range p.late {
			for severity, n := range severities {
				if n == 0 {
					continue
				}
				if err := need(clause, incident.Severities[severity], fmt.Sprintf("past[%d].clocks", i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// errNotLate means that no such incident was found.
var errNotLate = errors.New("no incident opened at the start of the period does that")

func (pl *plan) lateIncident(clause int, severity incident.Severity) (sla.Incident, error) {
	in := sla.Incident{ID: string(clocks[clause]) + "-" + severity.String(), Severity: severity, Opened: pl.period.Start}
	if !pl.promises(clocks[clause], severity) {
		in.Responded, in.Resolved = in.Opened, in.Opened // nothing to be late for
		return in, nil
	}
	for _, t := range pl.agreement.Contract().Terms {
		if t.Clause() == clocks[clause] && (t.Response != nil && t.Response.MeanToo || t.Resolution != nil && t.Resolution.MeanToo) {
			return in, fmt.Errorf("term %q pays by the mean of all incidents", t.ID)
		}
	}
	states, err := pl.agreement.Clocks(in, in.Opened)
	if err != nil {
		return in, err
	}
	var late time.Time
	for _, s := range states {
		if s.Clause == clocks[clause] && s.BreachAt.After(late) {
			late = s.BreachAt
		}
	}
	late = late.Add(time.Nanosecond)
	in.Responded, in.Resolved = in.Opened, late
	if clocks[clause] == sla.ClauseResponse {
		in.Responded = late
	}
	e := pl.evidence
	e.Incidents = []sla.Incident{in}
	s, err := pl.agreement.Evaluate(pl.asked, e)
	if err != nil {
		return in, err
	}
	hit := false
	for _, t := range s.Clocks {
		switch {
		case t.Missed > 0 && t.Clause != clocks[clause], t.Pending > 0, t.Missed > 1:
			return in, errNotLate
		case t.Missed == 1:
			hit = true
		}
	}
	if !hit {
		return in, errNotLate
	}
	return in, nil
}
