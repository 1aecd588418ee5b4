// Package month draws up the reports of a contract from the tables of evidence, for
// all programs that show them.
package month

import (
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Contract is a contract as its file has it, compiled.
type Contract struct {
	config.Agreed
	*sla.Agreement
}

// Frame is the time in which outages matter for a period and what it is compared
// with: from the first of so many months, that of the period being the last, or from
// the period if that begins earlier, up to now.
func (c Contract) Frame(p sla.Period, months int, now time.Time) evidence.Frame {
	start := p.Start
	if months > 0 {
		if first := (sla.Billing{}).Following(p.End.Add(-1), 1-months, c.Location()).Start; first.Before(start) {
			start = first
		}
	}
	f := evidence.Frame{Window: calendar.Interval{Start: start.UTC(), End: now}, From: c.EvidenceFrom, Currency: c.Fee.Currency()}
	for _, t := range c.Contract().Terms {
		if t.Availability == nil {
			continue
		}
		for _, s := range t.Availability.Services {
			f.Services = append(f.Services, s.ID)
		}
	}
	return f
}

// Contract is what was agreed.
func (c Contract) Contract() sla.Contract { return c.Agreed.Contract }

// Document is a report with what its readers need beside the figures.
func (c Contract) Document(r sla.Report, sources []program.Source, notices []program.Notice) report.ServiceReport {
	d := report.ServiceReport{
		Report: r, Contract: c.Agreed.Contract, Zone: c.Location(), Customer: c.CustomerName, Services: c.ServiceNames, Locale: c.Locale,
	}
	for _, s := range sources {
		d.Sources = append(d.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	for _, n := range notices {
		d.Notices = append(d.Notices, report.Notice{Code: n.Code, Message: n.Message})
	}
	return d
}
