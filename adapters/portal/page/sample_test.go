package page_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/slo"
)

func amsterdam(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// sample is a customer with so many services and the twelve months to October 2026,
// in which the clock is set forward on 29 March and back on 25 October. Service s01
// is down at the end, s02 has missed its target without a credit, and s03 was paid for.
func sample(tb testing.TB, services int) *page.Tenant {
	tb.Helper()
	zone := amsterdam(tb)
	at := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 0, 0, zone)
	}
	now := at(2026, 10, 28, 9, 30)
	c := sla.Preset("acme-2026", sla.Professional, "Europe/Amsterdam", money.Must(money.Parse("40000.00 EUR")))
	c.Customer = "acme"
	terms := c.Terms[0].Availability
	terms.Services, terms.Exclude, terms.MinNotice = nil, []sla.Cause{sla.CauseMaintenance}, 72*time.Hour
	t := &page.Tenant{ID: "acme", Name: "Acme Groceries", Brand: page.Brand{Name: "Evenkeel Operations"}, At: now, Zone: zone}
	names := map[string]string{}
	for i := range services {
		id := fmt.Sprintf("s%02d", i+1)
		names[id] = []string{"Web shop", "Payments", "Search", "Warehouse"}[i%4] + " " + id
		terms.Services = append(terms.Services, sla.Service{ID: id})
		t.Services = append(t.Services, page.Service{ID: id, Name: names[id], Tier: "professional", Owner: "Team Commerce", Window: "Mon–Fri 08:00–18:00"})
	}
	first := at(2025, 11, 1, 0, 0)
	e := sla.Evidence{Observed: calendar.Interval{Start: first.AddDate(0, 0, 9), End: now}}
	outage := func(ref, service string, start time.Time, length time.Duration) {
		e.Outages = append(e.Outages, sla.Outage{Ref: ref, Service: service, Start: start, End: start.Add(length)})
		in := sla.Incident{
			ID: ref, Service: service, Severity: incident.P1, Title: "Service did not answer", Started: start, Detected: start.Add(time.Minute), Opened: start.Add(2 * time.Minute),
			Acknowledged: start.Add(3 * time.Minute), Responded: start.Add(5 * time.Minute), Resolved: start.Add(length), Cause: "disk of the journal was full", Action: "alert at 80 %",
			Cost: money.Must(money.Parse("1250.00 EUR")),
		}
		e.Incidents = append(e.Incidents, in)
	}
	for i := range services {
		s := terms.Services[i].ID
		for month := range 11 {
			if (i+month)%3 == 0 {
				outage(fmt.Sprintf("INC-%d", 100+i*12+month), s, first.AddDate(0, month, 10+(i+month)%17).Add(time.Duration(i)*time.Hour), time.Duration(10+7*month)*time.Minute)
			}
		}
	}
	if services >= 3 {
		outage("INC-901", "s02", at(2026, 10, 25, 1, 0), 4*time.Hour)      // over the change of the clock
		outage("INC-902", "s03", at(2026, 10, 12, 8, 0), 9*time.Hour)      // into the first band
		outage("INC-903", "s01", at(2026, 10, 6, 13, 10), 46*time.Minute)  //
		outage("INC-904", "s01", at(2026, 10, 20, 22, 45), 12*time.Minute) //
		e.Gaps = []sla.Gap{{Service: "s01", Start: at(2026, 10, 15, 2, 0), End: at(2026, 10, 16, 1, 0)}}
		e.Outages = append(e.Outages, sla.Outage{Ref: "INC-905", Service: "s01", Start: at(2026, 10, 28, 9, 5)})
		e.Incidents = append(e.Incidents, sla.Incident{ID: "INC-905", Service: "s01", Severity: incident.P1, Title: "Check-out is down", Opened: at(2026, 10, 28, 9, 6), Acknowledged: at(2026, 10, 28, 9, 8), Responded: at(2026, 10, 28, 9, 10), Updates: []time.Time{at(2026, 10, 28, 9, 10)}})
	}
	e.Maintenance = []sla.Maintenance{
		{Ref: "MW-7", Service: "*", Start: at(2026, 10, 9, 1, 0), End: at(2026, 10, 9, 3, 0), Announced: at(2026, 10, 1, 9, 0), Title: "New disks"},
		{Ref: "MW-8", Service: "s01", Start: at(2026, 10, 30, 1, 0), End: at(2026, 10, 30, 3, 0), Announced: at(2026, 10, 20, 9, 0), Title: "New certificates"},
		{Ref: "MW-9", Service: "s02", Start: at(2026, 11, 2, 1, 0), End: at(2026, 11, 2, 3, 0), Announced: at(2026, 11, 1, 9, 0), Title: "Database"},
		{Ref: "MW-10", Service: "*", Start: at(2026, 11, 3, 1, 0), End: at(2026, 11, 3, 3, 0), Announced: at(2026, 10, 20, 9, 0), Title: "Network", Cancelled: true},
	}
	e.Outages = append(e.Outages, sla.Outage{Ref: "MW-7", Service: "s01", Start: at(2026, 10, 9, 1, 10), End: at(2026, 10, 9, 2, 40), Cause: sla.CauseMaintenance})
	e.Changes = []sla.Change{{Ref: "C-1", Service: "s01", Start: at(2026, 10, 9, 1, 0), End: at(2026, 10, 9, 3, 0), Kind: sla.NormalChange, Outcome: sla.ChangeSuccess}}
	t.Evidence = e
	t.Sources = []report.Source{{Name: "contract.yaml", SHA256: strings.Repeat("ab", 32)}, {Name: "outages.csv", SHA256: strings.Repeat("cd", 32)}}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	for month := range 12 {
		r, err := a.Report(a.PeriodAt(first.AddDate(0, month, 0)), e, sla.ReportOptions{At: now, Trend: 3})
		if err != nil {
			tb.Fatal(err)
		}
		t.Months = append(t.Months, report.ServiceReport{Report: r, Contract: c, Zone: zone, Customer: t.Name, Services: names, Sources: t.Sources})
	}
	for _, known := range slices.Backward(e.Incidents) {
		in := page.Incident{Incident: known, Domain: "postgres", Engineer: "alice", Updates: []page.Update{{At: known.Responded, Text: "We are looking into it."}}}
		if in.Clocks, err = a.Clocks(in.Incident, now); err != nil {
			tb.Fatal(err)
		}
		if in.Resolved.IsZero() {
			in.NextUpdate, in.PostmortemDue = now.Add(-5*time.Minute), time.Time{}
		} else {
			in.Updates = append(in.Updates, page.Update{At: in.Resolved, Text: "The service is back."})
			in.PostmortemDue = in.Resolved.AddDate(0, 0, 7)
		}
		switch in.ID {
		case "INC-902":
			in.Document = &postmortem.Document{
				Incident: in.ID, Summary: "The journal filled its disk.", RootCause: "No alert on free space.", Impact: "No search for nine hours.",
				Measures: []postmortem.Measure{{ID: "M-1", Text: "Alert at 80 %", Type: incident.DetectFast, Owner: "alice", Due: "2026-10-20", Status: postmortem.MeasureOpen, Ref: "CHG-12", Anchored: true, Overdue: true}},
			}
		case "INC-903":
			in.Postmortem = "https://wiki.example.com/pm/903"
		}
		t.Incidents = append(t.Incidents, in)
	}
	slices.SortStableFunc(t.Incidents, func(a, b page.Incident) int { // open ones first, then the latest
		if a.Resolved.IsZero() != b.Resolved.IsZero() {
			return b.Resolved.Compare(a.Resolved) * -1
		}
		return b.Opened.Compare(a.Opened)
	})
	for _, m := range e.Maintenance {
		w := page.Maintenance{Maintenance: m, Required: 72 * time.Hour, NoticeOK: m.Start.Sub(m.Announced) >= 72*time.Hour}
		w.Excluded = w.NoticeOK && !m.Cancelled
		w.Reason = "announced in time"
		if !w.NoticeOK {
			w.Reason = "announced too late"
		}
		t.Maintenance = append(t.Maintenance, w)
	}
	t.Revisions = []page.Revision{{
		Month: "2026-09", Number: 1, At: at(2026, 10, 20, 10, 0), Before: money.Must(money.Parse("0.00 EUR")), After: money.Must(money.Parse("400.00 EUR")), Reason: "an outage was reported late",
		Evidence: t.Months[10].Report.Statement.Inputs.Evidence,
	}}
	t.Budgets = budgets(tb, zone, now)
	t.Catalogue = register(tb, now)
	t.Articles = []page.Article{
		{ID: "KB-1", Service: "s01", Title: "Orders are shown twice", Text: "Reload the page.\n\nThe order was placed once.", KnownError: true, Changed: at(2026, 9, 1, 9, 0)},
		{ID: "KB-2", Title: "How to read a statement", Text: "Every line names its clause.", Changed: at(2026, 8, 1, 9, 0)},
	}
	works, _ := sla.NewFraction(8631, 8640)
	t.Journeys = []page.Journey{{
		ID: "checkout", Name: "Log in, fill the cart, check out", Service: "s01", At: now.Add(-time.Minute), State: report.Bad, Since: at(2026, 10, 28, 9, 5), Share: works, Over: 30 * 24 * time.Hour, Runs: 8640,
		P50: 812 * time.Millisecond, P95: 1630 * time.Millisecond,
		Steps:   []page.JourneyStep{{Name: "Log in", State: report.Good, Took: 120 * time.Millisecond}, {Name: "Cart", State: report.Bad, Took: 5 * time.Second, Text: "status 503"}, {Name: "Check out", State: report.NoData}},
		History: []report.Bar{{Label: "27 Oct", State: report.Good}, {Label: "28 Oct", State: report.Bad, Text: "503"}},
	}}
	t.Monthly = &report.ReviewPack{Review: sla.MonthlyReview(), Reports: t.Months[9:]}
	t.Quarterly = &report.ReviewPack{Review: sla.QuarterlyReview(), Reports: t.Months[8:11]}
	t.Weekly = &report.ReviewPack{Review: sla.WeeklyReview(), Reports: t.Months[11:]}
	t.Executive = &report.ReviewPack{Review: sla.ExecutiveReport(), Reports: t.Months[9:], Outlook: &report.Outlook{
		Components: []report.Component{{Name: "PostgreSQL", Version: "14", EndOfSupport: "2026-11-12", Replacement: "PostgreSQL 18", Planned: "2026-10-25"}},
		Capacities: []report.Capacity{{Name: "Disk", Unit: "GB", Limit: 500}},
	}}
	return t
}

// budgets is one objective of a calendar month, at a quarter of which an hour is bad.
func budgets(tb testing.TB, zone *time.Location, now time.Time) *report.BudgetReport {
	tb.Helper()
	o := slo.Objective{ID: "checkout-success", Service: "s01", Target: slo.MustPercent("99.5"), Windows: []slo.Window{slo.Calendar(slo.Month, zone)}}
	policy, err := slo.DefaultPolicy(o.Windows[0])
	if err != nil {
		tb.Fatal(err)
	}
	o.Policy = policy
	tracker, err := slo.NewTracker(o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	var h report.BudgetHistory
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, zone)
	for i := 0; ; i++ {
		at := start.Add(time.Duration(i+1) * 10 * time.Minute)
		if at.After(now) {
			break
		}
		counts := slo.Counts{Good: 1000, Total: 1000}
		if i/6 == 180 || i/6 == 420 {
			counts.Good = 650
		}
		if err := errors.Join(tracker.Observe(at, counts), h.Add(tracker)); err != nil {
			tb.Fatal(err)
		}
	}
	b, err := report.BudgetOf(o, tracker)
	if err != nil {
		tb.Fatal(err)
	}
	b.History = h.Points()
	return &report.BudgetReport{At: b.Status.At, Zone: zone, Budgets: []report.Budget{b}, Sources: []report.Source{{Name: "counts.csv", SHA256: strings.Repeat("ef", 32)}}}
}

func register(tb testing.TB, now time.Time) *continuity.Register {
	tb.Helper()
	r, err := continuity.New(continuity.Catalogue{
		Services: []continuity.Service{
			{ID: "s01", Owner: "Team Commerce", Tier: "gold", Lines: []string{"desk", "operations"}, DependsOn: []string{"s02"}, EndOfSupport: "2027-06-30", Vendors: []continuity.Vendor{{Name: "Hoster BV"}}},
			{ID: "s02", Owner: "Team Pay", Tier: "gold"},
		},
		Runbooks: []continuity.Runbook{{ID: "RB-restore", Services: []string{"s01"}, Purpose: continuity.ForRestore, URL: "https://wiki.example.com/rb/restore", ReviewedAt: now.AddDate(0, -2, 0)}},
		KeyDates: []continuity.KeyDate{{ID: "payroll", Rule: continuity.Rule{Day: 25}, Zone: "Europe/Amsterdam", Services: []string{"s01"}, Freeze: true}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	day := now.AddDate(0, -1, 0)
	err = r.AddRestore(continuity.Restore{
		Service: "s01", Backup: "B-1", Kind: continuity.Side, Source: day.Add(-3 * time.Hour), FailedAt: day.Add(-time.Hour), Lost: day.Add(-30 * time.Minute), Started: day, Restored: day.Add(time.Hour), Verified: day.Add(2 * time.Hour),
		Newest: day.Add(-90 * time.Minute), By: "alice", Method: "row counts", Check: continuity.Passed, Artefact: strings.Repeat("0a", 32), RTOTarget: 4 * time.Hour, RPOTarget: time.Hour,
	}, now)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// operations is the dashboard over two customers.
func operations(tb testing.TB) *page.Ops {
	tb.Helper()
	a, b := sample(tb, 4), sample(tb, 1)
	b.ID, b.Name, b.Stale = "globex", "Globex", "outages.csv:12: end before start"
	eur := func(text string) money.Amount { return money.Must(money.Parse(text + " EUR")) }
	return &page.Ops{
		At: a.At, Zone: a.Zone, Brand: a.Brand, Tenants: []*page.Tenant{a, b}, Sources: a.Sources,
		Review: &incident.Review{
			Teams: []incident.TeamFigures{{Team: "operations", Figures: incident.Figures{
				Volume: 12, MTTA: incident.DurationsOf("MTTA", []time.Duration{3 * time.Minute, 5 * time.Minute}), MTTR: incident.DurationsOf("MTTR", []time.Duration{time.Hour}),
				FirstContact: incident.Share{Hits: 9, Of: 12}, Escalated: incident.Share{Hits: 1, Of: 12}, Kept: incident.Share{Hits: 11, Of: 12},
			}, Changes: incident.Share{Hits: 19, Of: 20}}},
			Costs: incident.CostAnalysis{
				All: incident.Cost{N: 3, Total: eur("3000.00")}, Unknown: 2, Severity: []incident.CostLine{{Key: "P1", Cost: incident.Cost{N: 2, Total: eur("2500.00")}}, {Key: "P2", Cost: incident.Cost{N: 1, Total: eur("500.00")}}},
			},
		},
		Fairness: &coverage.Fairness{
			From: a.At.AddDate(0, -1, 0), Until: a.At,
			People: []coverage.PersonShare{
				{Engineer: "alice", Zone: "Europe/Amsterdam", Duty: coverage.Duty{OnCall: 400 * time.Hour, Night: 100 * time.Hour, Pages: 7, NightPages: 2}, Share: coverage.Ratio{Num: 5, Den: 9}, Expected: coverage.Ratio{Num: 1, Den: 2}},
				{Engineer: "bob", Zone: "Asia/Tokyo", Duty: coverage.Duty{OnCall: 320 * time.Hour}, Share: coverage.Ratio{Num: 4, Den: 9}, Expected: coverage.Ratio{Num: 1, Den: 2}},
			},
			Findings: []string{"alice carries 55.56% of the time on call, expected 50.00%"},
		},
		Knowledge: &coverage.Knowledge{Least: 3, Domains: []coverage.DomainKnowledge{{Domain: "postgres", People: []string{"alice", "bob"}, Present: 1, Below: []coverage.Shortfall{{}}}}},
		Inquiries: []page.Inquiry{{Tenant: "acme", Ref: "RQ-1", Title: "More <disks>", Text: "please", Contact: "nina", At: a.At}, {Tenant: "globex", Ref: "RQ-2", Service: "gone", Title: "Access", At: a.At}},
		Load:      []page.Load{{Engineer: "alice", Line: "operations", Open: 2, Handled: 9, Used: 120 * time.Hour, Available: 160 * time.Hour}, {Line: "desk", Open: 1, Handled: 30}},
		Margins:   []page.Margin{{Tenant: "acme", Month: "2026-10", Fee: eur("40000.00"), Cost: eur("31000.00"), Credits: eur("4000.00")}, {Tenant: "globex", Month: "2026-10", Fee: eur("1000.00"), Cost: eur("1200.00"), Credits: eur("0.00")}},
	}
}
