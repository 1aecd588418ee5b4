package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// result is the night after its end: the story, the account of the contract and
// the value of the service.
type result struct {
	rec       *recording
	in        *inputs
	now       time.Time
	story     []item
	totals    totals
	incidents []incident.State
	budgets   []budget
	statement sla.Statement
	value     *roi.Result
}

// budget is the state of an objective at the end, and its burn over the night.
type budget struct {
	objective slo.Objective
	status    slo.Status
}

// conclude draws up what comes after the night.
func conclude(m *machine) (*result, error) {
	r := &result{rec: m.rec, in: m.in, now: m.rec.end, totals: m.mem.Totals}
	m.mem.Now = m.rec.end
	m.mem.Story = slices.Clone(m.mem.Story)
	for _, c := range m.mem.Cases {
		r.incidents = append(r.incidents, m.incidents[c.ID].State())
	}
	for _, o := range m.in.objectives {
		status, err := m.trackers[o.ID].Status()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.ID, err)
		}
		r.budgets = append(r.budgets, budget{o.Objective, status})
	}
	agreement, err := sla.Compile(m.in.contract.Contract)
	if err != nil {
		return nil, program.Exit(program.Usage, fmt.Errorf("contract.yaml: %w", err))
	}
	if r.statement, err = agreement.Evaluate(agreement.PeriodAt(m.rec.end), m.evidence()); err != nil {
		return nil, program.Exit(program.Input, err)
	}
	for _, line := range r.statement.Lines {
		m.tell("statement", fmt.Sprintf("%s %s: credit %s", line.Clause, line.Ref, line.Amount), line.Ref, line.Explain())
	}
	m.tell("statement", fmt.Sprintf("%s payable of %s for %s", r.statement.Payable, r.statement.Fee, r.statement.Period.Label), "", "state "+string(r.statement.State))
	if r.value, err = roi.Evaluate(m.in.costs.Model); err != nil {
		return nil, program.Exit(program.Usage, fmt.Errorf("costs.yaml: %w", err))
	}
	m.tell("roi", fmt.Sprintf("%s %% as published, %s %% from a sound model", percentText(r.value.AsPublished.ROIPercent), percentText(r.value.Sound.ROIPercent)), "",
		fmt.Sprintf("%d warnings about the published figure", len(r.value.Warnings)))
	r.story = m.mem.Story
	return r, nil
}

// evidence is what the recording says about the contract: time in which the
// checks of a service failed, or fewer than half of its requests succeeded, is an
// outage.
func (m *machine) evidence() sla.Evidence {
	e := sla.Evidence{Observed: calendar.Interval{Start: m.rec.start, End: m.rec.end}}
	if from := m.in.contract.EvidenceFrom; from.After(e.Observed.Start) {
		e.Observed.Start = from
	}
	e.Outages = append(e.Outages, m.rec.failedChecks()...)
	e.Outages = append(e.Outages, m.rec.failedRequests()...)
	for _, w := range m.rec.maintenance {
		e.Maintenance = append(e.Maintenance, sla.Maintenance{Ref: w.id, Service: w.service, Start: w.start, End: w.end, Announced: w.announced, Emergency: w.emergency})
	}
	for _, c := range m.mem.Cases {
		e.Incidents = append(e.Incidents, sla.IncidentOf(m.incidents[c.ID].State()))
	}
	return e
}

// failedChecks turns every run of failed checks into an outage, until the next
// check that did not fail.
func (r *recording) failedChecks() []sla.Outage {
	var outages []sla.Outage
	down := map[string]time.Time{}
	for _, c := range r.checks {
		since, isDown := down[c.service]
		switch {
		case c.status == "down" && !isDown:
			down[c.service] = c.at
		case c.status != "down" && isDown:
			outages = append(outages, sla.Outage{Ref: "checks.csv", Service: c.service, Start: since, End: c.at})
			delete(down, c.service)
		}
	}
	for service, since := range down {
		outages = append(outages, sla.Outage{Ref: "checks.csv", Service: service, Start: since})
	}
	slices.SortFunc(outages, func(a, b sla.Outage) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Service, b.Service))
	})
	return outages
}

// failedRequests turns every stretch in which fewer than half of the requests of a
// service succeeded into an outage. A row counts from the row before it.
func (r *recording) failedRequests() []sla.Outage {
	var outages []sla.Outage
	last := map[string]time.Time{}
	for _, in := range r.inputs {
		row := in.sli
		if row == nil {
			continue
		}
		if before, ok := last[row.service]; ok && 2*row.good < row.total {
			outages = append(outages, sla.Outage{Ref: "sli.csv", Service: row.service, Start: before, End: row.at})
		}
		last[row.service] = row.at
	}
	return outages
}

func percentText(p *float64) string {
	if p == nil {
		return "no"
	}
	return fmt.Sprintf("%.1f", *p)
}
