package sla_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// The reference targets, with the comparison as the articles word it.
func TestReferenceKPITargets(t *testing.T) {
	want := map[sla.KPI]string{
		sla.KPIMTTRP1: "< 7200", sla.KPIMTTRP2: "< 28800", sla.KPIMTTRP3: "< 86400", sla.KPIMTTRP4: "< 259200",
		sla.KPIFirstContact: "> 60", sla.KPIEscalation: "< 20", sla.KPISatisfaction: "> 4.5", sla.KPIChanges: "> 95",
		sla.KPIApproval: "< 14400", sla.KPINotice: ">= 259200", sla.KPIBackup: "> 99", sla.KPIRTO: "< 14400", sla.KPIRPO: "< 3600",
		sla.KPICoverage: "> 99",
	}
	got := sla.ReferenceKPITargets()
	for _, k := range sla.KPIs {
		if limit := (sla.KeyFigure{Target: got[k]}).Limit(); limit != want[k] {
			t.Errorf("%s: target %q, want %q", k, limit, want[k])
		}
		if k.Unit() == "" {
			t.Errorf("%s has no unit", k)
		}
	}
	for s, target := range incident.DefaultTargets() {
		k := []sla.KPI{sla.KPIMTTRP1, sla.KPIMTTRP2, sla.KPIMTTRP3, sla.KPIMTTRP4}[slices.Index(incident.Severities[:], s)]
		if got[k] != target {
			t.Errorf("%s: target %s, that of incidents is %s", k, got[k], target)
		}
	}
}

// Each figure from the least evidence that shows how it counts. The period is 1
// January 2027, a day of 86 400 s.
func TestKeyFigures(t *testing.T) {
	start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	at := start.Add
	yes, no, two := true, false, 2
	euros := func(text string) money.Amount { return money.Must(money.Parse(text)) }
	const h, m = time.Hour, time.Minute
	for _, c := range []struct {
		name     string
		kpi      sla.KPI
		evidence sla.Evidence
		want     string
	}{
		{"waits are taken out", sla.KPIMTTRP2, sla.Evidence{Incidents: []sla.Incident{{
			ID: "a", Severity: incident.P2, Detected: at(0), Opened: at(m), Resolved: at(3 * h),
			Pauses: []calendar.Interval{{Start: at(h), End: at(2 * h)}, {Start: at(90 * m), End: at(2 * h)}},
		}}}, "mttr_p2: 7200 s over 1, target < 8h met"},
		{"an open wait ends with the incident", sla.KPIMTTRP1, sla.Evidence{Incidents: []sla.Incident{{
			ID: "a", Severity: incident.P1, Opened: at(0), Resolved: at(3 * h), Pauses: []calendar.Interval{{Start: at(h)}},
		}}}, "mttr_p1: 3600 s over 1, target < 2h met"},
		{"exactly on a strict target", sla.KPIMTTRP1, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(0), Resolved: at(3 * h)}, {ID: "b", Severity: incident.P1, Opened: at(0), Resolved: at(h)},
		}}, "mttr_p1: 7200 s over 2, target < 2h missed"},
		{"resolved after the period", sla.KPIMTTRP1, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(23 * h), Resolved: at(24 * h)},
		}}, "mttr_p1: no data, target < 2h"},
		{"opened before it", sla.KPIMTTRP4, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P4, Opened: at(-h), Resolved: at(0)},
		}}, "mttr_p4: 3600 s over 1, target < 3d met"},
		{"thirds stay exact", sla.KPIMTTD, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Started: at(0), Detected: at(time.Second), Opened: at(m)},
			{ID: "b", Severity: incident.P4, Started: at(0), Detected: at(time.Second), Opened: at(m)},
			{ID: "c", Severity: incident.P4, Started: at(0), Detected: at(2 * time.Second), Opened: at(m)},
			{ID: "d", Severity: incident.P4, Detected: at(2 * time.Second), Opened: at(m)}, // nobody knows since when
		}}, "mttd: 1.333333 s over 3"},
		{"detected before it is said to have started", sla.KPIMTTD, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Started: at(m), Detected: at(0), Opened: at(m)},
		}}, "mttd: 0 s over 1"},
		{"downtime is counted in stretches", sla.KPIMTBF, sla.Evidence{Outages: []sla.Outage{
			{Start: at(0), End: at(h)}, {Start: at(30 * m), End: at(2 * h)}, {Start: at(20 * h), End: at(21 * h)},
		}}, "mtbf: 37800 s over 2"}, // 21 h up by 2
		{"no failure, no mean", sla.KPIMTBF, sla.Evidence{}, "mtbf: no data"},
		{"counts are never without data", sla.KPIVolume, sla.Evidence{}, "incident_volume: 0"},
		{"first contact where it is recorded", sla.KPIFirstContact, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(0), Resolved: at(h), FirstContact: &yes},
			{ID: "b", Severity: incident.P1, Opened: at(0), Resolved: at(h), FirstContact: &no},
			{ID: "c", Severity: incident.P1, Opened: at(0), Resolved: at(h)},
			{ID: "d", Severity: incident.P1, Opened: at(0), FirstContact: &yes},
		}}, "first_contact_resolution: 50 % over 2, target > 60% missed"},
		{"an incident without a record was not escalated", sla.KPIEscalation, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(0), Escalations: &two},
			{ID: "b", Severity: incident.P1, Opened: at(0)},
			{ID: "c", Severity: incident.P1, Opened: at(0)},
			{ID: "d", Severity: incident.P1, Opened: at(0)},
			{ID: "e", Severity: incident.P1, Opened: at(0)},
		}}, "escalation_rate: 20 % over 5, target < 20% missed"},
		{"satisfaction exactly on target", sla.KPISatisfaction, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(0), Resolved: at(h), Satisfaction: 4},
			{ID: "b", Severity: incident.P1, Opened: at(0), Resolved: at(h), Satisfaction: 5},
		}}, "customer_satisfaction: 4.500000 over 2, target > 4.5/5 missed"},
		{"which changes succeeded", sla.KPIChanges, sla.Evidence{Changes: []sla.Change{
			{Ref: "a", End: at(h), Outcome: sla.ChangeSuccess},
			{Ref: "b", End: at(h), Outcome: sla.ChangeSuccess, CausedIncident: "i"},
			{Ref: "c", End: at(h), Outcome: sla.ChangeFailed},
			{Ref: "d", End: at(h), Outcome: sla.ChangeRolledBack},
			{Ref: "e", End: at(h), Outcome: sla.ChangeCancelled},
			{Ref: "f", End: at(h)},
			{Ref: "g", Outcome: sla.ChangeSuccess},
			{Ref: "h", End: at(24 * h), Outcome: sla.ChangeSuccess},
		}}, "change_success_rate: 25 % over 4, target > 95% missed"},
		{"the slowest approval", sla.KPIApproval, sla.Evidence{Changes: []sla.Change{
			{Ref: "a", Kind: sla.EmergencyChange, Requested: at(0), Approved: at(h)},
			{Ref: "b", Kind: sla.EmergencyChange, Requested: at(0), Approved: at(4 * h)},
			{Ref: "c", Kind: sla.NormalChange, Requested: at(0), Approved: at(9 * h)},
			{Ref: "d", Kind: sla.EmergencyChange, Approved: at(9 * h)},
		}}, "emergency_change_approval: 14400 s over 2, target < 4h missed"},
		{"72 hours are enough", sla.KPINotice, sla.Evidence{Maintenance: []sla.Maintenance{
			{Ref: "a", Start: at(h), End: at(2 * h), Announced: at(-71 * h)},
			{Ref: "b", Start: at(h), End: at(2 * h), Announced: at(0), Emergency: true},
			{Ref: "c", Start: at(h), End: at(2 * h), Announced: at(0), Cancelled: true},
		}}, "maintenance_notice: 259200 s over 1, target >= 3d met"},
		{"no announcement is no notice", sla.KPINotice, sla.Evidence{Maintenance: []sla.Maintenance{
			{Ref: "a", Start: at(h), End: at(2 * h)},
		}}, "maintenance_notice: 0 s over 1, target >= 3d missed"},
		{"unwatched time", sla.KPICoverage, sla.Evidence{Gaps: []sla.Gap{{Start: at(0), End: at(6 * h)}}}, "monitoring_coverage: 75 % over 1, target > 99% missed"},
		{"one of three restores is proven", sla.KPIBackup, sla.Evidence{Restores: []sla.Restore{
			{Started: at(0), Restored: at(h), Verified: at(2 * h)}, {Started: at(0), Restored: at(h)}, {Started: at(0)}, {Started: at(-h), Restored: at(h), Verified: at(h)},
		}}, "backup_success_rate: 33.333333 % over 3, target > 99% missed"},
		{"recovery from the loss to the proof", sla.KPIRTO, sla.Evidence{Restores: []sla.Restore{
			{FailedAt: at(0), Started: at(h), Restored: at(2 * h), Verified: at(3 * h)},
			{Started: at(h), Restored: at(2 * h), Verified: at(3 * h)},
			{FailedAt: at(0), Started: at(h), Restored: at(9 * h)},
		}}, "rto_measured: 10800 s over 2, target < 4h met"},
		{"data lost", sla.KPIRPO, sla.Evidence{Restores: []sla.Restore{
			{FailedAt: at(2 * h), Newest: at(h), Started: at(2 * h), Restored: at(3 * h), Verified: at(3 * h)},
		}}, "rpo_measured: 3600 s over 1, target < 1h missed"},
		{"cost of the incidents that have one", sla.KPICost, sla.Evidence{Incidents: []sla.Incident{
			{ID: "a", Severity: incident.P1, Opened: at(0), Cost: euros("100.00 EUR")},
			{ID: "b", Severity: incident.P1, Opened: at(0), Cost: euros("100.01 EUR")},
			{ID: "c", Severity: incident.P1, Opened: at(0), Cost: euros("0.00 EUR")},
			{ID: "d", Severity: incident.P1, Opened: at(0)},
		}}, "cost_per_incident: 66.670000 EUR over 3"},
		// b and c are closed in the time, b with a cause; a was closed before; d and
		// e are open at its end, and f comes after it: 1 of 4.
		{"problems closed with a cause", sla.KPIProblems, sla.Evidence{Problems: []sla.Problem{
			{Ref: "a", Opened: at(-9 * h), Closed: at(-h), Cause: "x"},
			{Ref: "b", Opened: at(-9 * h), Closed: at(h), Cause: "x"},
			{Ref: "c", Opened: at(0), Closed: at(h)},
			{Ref: "d", Opened: at(0)},
			{Ref: "e", Opened: at(0), Closed: at(999 * h), Cause: "x"},
			{Ref: "f", Opened: at(999 * h)},
		}}, "problem_resolution_rate: 25 % over 4"},
		// 7 h of 8 and 5 h of 8: 12 of 16.
		{"time used of the time available", sla.KPIUtilisation, sla.Evidence{Capacity: []sla.Capacity{
			{Resource: "ann", Start: at(0), Used: 7 * h, Available: 8 * h},
			{Resource: "bob", Start: at(h), Used: 5 * h, Available: 8 * h},
			{Resource: "bob", Start: at(999 * h), Used: 8 * h, Available: 8 * h},
		}}, "resource_utilisation: 75 % over 2"},
		{"nothing available", sla.KPIUtilisation, sla.Evidence{Capacity: []sla.Capacity{{Resource: "ann", Start: at(0)}}}, "resource_utilisation: no data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			contract := sla.Preset("x", sla.Essential, "UTC", money.Must(money.Parse("20000.00 EUR")))
			a, err := sla.Compile(contract)
			if err != nil {
				t.Fatal(err)
			}
			p := sla.Period{Label: "day", Interval: calendar.Interval{Start: start, End: start.Add(24 * h)}}
			c.evidence.Observed = calendar.Interval{Start: start.AddDate(0, -1, 0), End: p.End}
			r, err := a.Report(p, c.evidence, sla.ReportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			f, ok := r.KeyFigure(c.kpi)
			if !ok || f.Explain() != c.want {
				t.Errorf("%s, want %s", f.Explain(), c.want)
			}
		})
	}
}

// Figures that hardly anybody has are left out of the report without data.
func TestKeyFiguresInOrder(t *testing.T) {
	a, e := acme(t)
	names := func(e sla.Evidence) (out []sla.KPI) {
		for _, k := range report(t, a, "2026-10", e, sla.ReportOptions{}).KPIs {
			out = append(out, k.KPI)
		}
		return out
	}
	equalText(t, "without", names(e), sla.KPIs[:17])
	e.Restores = []sla.Restore{{Service: "checkout", Started: when(t, "2026-05-01T00:00:00Z")}}
	e.Incidents[0].Cost = money.Must(money.Parse("12.00 EUR"))
	e.Problems = []sla.Problem{{Ref: "PRB-1", Opened: when(t, "2026-05-01T00:00:00Z")}}
	e.Capacity = []sla.Capacity{{Resource: "night shift", Start: when(t, "2026-05-01T00:00:00Z"), Used: 1, Available: 1}}
	equalText(t, "with", names(e), sla.KPIs[:])
}

func TestKPITargets(t *testing.T) {
	a, e := acme(t)
	target := func(text string) incident.Target {
		out, err := incident.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	r := report(t, a, "2026-10", e, sla.ReportOptions{KPITargets: sla.KPITargets{
		sla.KPIMTTRP1: target("<= 7526s"), sla.KPIMTTRP2: {}, sla.KPIVolume: target("< 9"), sla.KPIUptime: target("> 1%"),
	}})
	for _, want := range []string{
		"mttr_p1: 7526 s over 5, target <= 2h5m26s met",
		"mttr_p2: 1680 s over 1",
		"incident_volume: 9 over 9, target < 9 missed",
		"uptime: 98.903803 % over 2, target >= 99.9% missed", // that of the contract
	} {
		if !slices.ContainsFunc(r.KPIs, func(k sla.KeyFigure) bool { return k.Explain() == want }) {
			t.Errorf("no figure %q", want)
		}
	}
}

func TestKeyFigureAmount(t *testing.T) {
	f := sla.KeyFigure{KPI: sla.KPICost, Unit: sla.UnitMoney, Currency: "EUR", Value: sla.FigureOf(100, 3)}
	amount, err := f.Amount(money.HalfUp)
	if err != nil || amount.String() != "33.33 EUR" {
		t.Errorf("a third of 100.00 EUR = %s, %v, want 33.33 EUR", amount, err)
	}
	f.Value = sla.Figure{}
	if amount, err := f.Amount(money.HalfUp); err != nil || amount.IsSet() {
		t.Errorf("no data = %s, %v, want no amount", amount, err)
	}
}

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		figure  sla.Figure
		text    string
		decimal string // six digits, cut
	}{
		{sla.Figure{}, "", ""},
		{sla.FigureOf(1, 0), "", ""},
		{sla.FigureOf(7526, 1), "7526", "7526.000000"},
		{sla.FigureOf(410, 6), "205/3", "68.333333"},
		{sla.FigureOf(200, 3), "200/3", "66.666666"}, // not rounded up
		{sla.FigureOf(-1, 3), "-1/3", "-0.333333"},
	} {
		text, err := c.figure.MarshalText()
		if err != nil || string(text) != c.text || c.figure.Decimal(6) != c.decimal {
			t.Errorf("%s: text %q, decimal %q, %v, want %q, %q", c.figure, text, c.figure.Decimal(6), err, c.text, c.decimal)
		}
		var back sla.Figure
		if err := back.UnmarshalText(text); err != nil || back.String() != c.figure.String() {
			t.Errorf("%q read back = %s, %v", text, back, err)
		}
	}
	for _, text := range []string{"1e9", "2/4", "1/0", "x", "1.5", "+1", "0x10", " 1", "--1"} {
		var f sla.Figure
		if err := f.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q = %s, want an error", text, f)
		}
	}
	f := sla.FigureOf(1, 2)
	f.Rat().Set(big.NewRat(9, 1))
	equalText(t, "after its copy was changed", f, "1/2")
}

func FuzzFigure(f *testing.F) {
	for _, text := range []string{"", "7526", "205/3", "-1/3", "1e9", "99999999999999999999/7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var x sla.Figure
		if x.UnmarshalText([]byte(text)) != nil {
			return
		}
		back, err := x.MarshalText()
		if err != nil || string(back) != text {
			t.Errorf("%q written back = %q, %v", text, back, err)
		}
		if _, err := json.Marshal(x); err != nil {
			t.Error(err)
		}
	})
}
