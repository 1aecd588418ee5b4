package sla_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func report(tb testing.TB, a *sla.Agreement, month string, e sla.Evidence, o sla.ReportOptions) sla.Report {
	tb.Helper()
	p, err := sla.ParseMonth(month, a.Location())
	if err != nil {
		tb.Fatal(err)
	}
	r, err := a.Report(p, e, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// The days of the acme sample. 25 October has 25 hours in Amsterdam; checkout is
// down on 14 October from 04:00Z, after its maintenance, to 12:00Z, and from
// 22:50Z on the 31st to midnight at 23:00Z.
func TestReportDays(t *testing.T) {
	a, e := acme(t)
	checkout := report(t, a, "2026-10", e, sla.ReportOptions{}).Availability[1]
	if len(checkout.Days) != 31 {
		t.Fatalf("%d days, want 31", len(checkout.Days))
	}
	for _, want := range []struct {
		date                              string
		promised, down, excluded, outcome string
		value                             string
	}{
		{"2026-10-13", "24h0m0s", "0s", "0s", "met", "1/1"},
		{"2026-10-14", "24h0m0s", "8h0m0s", "2h0m0s", "missed", "2/3"},
		{"2026-10-16", "24h0m0s", "0s", "20m0s", "met", "1/1"},
		{"2026-10-25", "25h0m0s", "0s", "0s", "met", "1/1"},
		{"2026-10-31", "24h0m0s", "10m0s", "0s", "missed", "143/144"},
	} {
		at := slices.IndexFunc(checkout.Days, func(d sla.Day) bool { return d.Date == want.date })
		d := checkout.Days[at]
		equalText(t, want.date, []any{d.Promised, d.Down, d.Excluded, d.Outcome, d.Value},
			[]any{want.promised, want.down, want.excluded, want.outcome, want.value})
	}
}

// 2682 s are allowed. 8 hours of downtime leave 2682 − 28 800, and ten minutes
// more 600 s less.
func TestReportBurn(t *testing.T) {
	a, e := acme(t)
	checkout := report(t, a, "2026-10", e, sla.ReportOptions{}).Availability[1]
	var points []string
	for _, p := range checkout.Burn {
		points = append(points, fmt.Sprintf("%s %d", p.At.Format("02T15:04"), p.Left/time.Second))
	}
	equalText(t, "burn", points, []string{
		"30T22:00 2682", "14T04:00 2682", "14T12:00 -26118", "31T22:50 -26118", "31T23:00 -26718",
	})
}

// What nothing measured has no value on any day, but the budget is known.
func TestReportWithoutData(t *testing.T) {
	a, e := acme(t)
	for _, c := range []struct {
		month   string
		allowed string
	}{
		{"2026-07", "44m38.4s"}, // 744 h · 0.1 %
		{"2026-12", "0s"},       // nothing of it has passed
	} {
		r := report(t, a, c.month, e, sla.ReportOptions{})
		s := r.Availability[0]
		equalText(t, c.month+" allowed and left", []any{s.Allowed, s.Left}, []any{c.allowed, c.allowed})
		if s.Burn != nil {
			t.Errorf("%s: burn = %v, want none", c.month, s.Burn)
		}
		for _, d := range s.Days {
			if d.Value.IsSet() || d.Outcome != sla.NoData {
				t.Errorf("%s: %s = %s, %s, want no data", c.month, d.Date, d.Value, d.Outcome)
			}
		}
		equalText(t, c.month+" days", len(s.Days), 31)
		for _, k := range r.KPIs {
			if k.KPI == sla.KPIVolume || k.KPI == sla.KPICoverage {
				continue // counts are 0 where nothing happened, and nothing was watched
			}
			if k.Value.IsSet() || k.Outcome == sla.Met || k.Outcome == sla.Missed {
				t.Errorf("%s: %s, want no data", c.month, k.Explain())
			}
		}
	}
}

func TestReportDue(t *testing.T) {
	utc := sampleContract(sla.Enterprise, "100000.00 EUR")
	for _, c := range []struct {
		zone     string
		from, to string // of the period
		want     string
	}{
		{"Europe/Amsterdam", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", "2026-11-15T23:00:00Z"},
		{"Europe/Amsterdam", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z", "2027-01-15T23:00:00Z"}, // over the year
		{"Europe/Amsterdam", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-04-15T22:00:00Z"}, // over the spring change
		{"UTC", "2026-01-01T00:00:00Z", "2026-01-31T12:00:00Z", "2026-02-16T00:00:00Z"},              // no month like 31 February
		{"UTC", "2026-10-05T00:00:00Z", "2026-10-20T00:00:00Z", "2026-11-16T00:00:00Z"},
	} {
		utc.Zone = c.zone
		a, err := sla.Compile(utc)
		if err != nil {
			t.Fatal(err)
		}
		p := sla.Period{Interval: calendar.Interval{Start: when(t, c.from), End: when(t, c.to)}}
		r, err := a.Report(p, sla.Evidence{Observed: p.Interval}, sla.ReportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		equalText(t, c.zone+" period to "+c.to, r.DueBefore.Format(time.RFC3339), c.want)
	}
}

func TestReportBreaches(t *testing.T) {
	a, e := acme(t)
	for i := range e.Incidents {
		in := &e.Incidents[i]
		switch in.ID {
		case "INC-110":
			in.Cause, in.Action = "index rebuild held the lock", "rebuild moved to a replica"
		case "INC-123":
			in.Cause, in.Action = "disk full", "rebuild moved to a replica"
		}
	}
	var got []string
	for _, b := range report(t, a, "2026-10", e, sla.ReportOptions{}).Breaches {
		got = append(got, fmt.Sprintf("%s %s: %v %q %q %s", b.Clause, b.Ref, b.Incidents, b.Cause, b.Action, b.Credit))
	}
	equalText(t, "breaches", strings.Join(got, "\n"), strings.Join([]string{
		`availability checkout: [INC-110 INC-123] "index rebuild held the lock; disk full" "rebuild moved to a replica" 10000.00 EUR`,
		`response INC-104: [INC-104] "" "" 500.00 EUR`,
		`resolution INC-110: [INC-110] "index rebuild held the lock" "rebuild moved to a replica" 5000.00 EUR`,
		`resolution INC-121: [INC-121] "" "" 5000.00 EUR`,
		`monitoring monitoring: [] "" "" 1500.00 EUR`,
	}, "\n"))
}

// The P1 clocks of October by hand: answers after 90, 180, 60, 120 and 60 s,
// restored 5, 11, 595, 3:40 and 10 minutes after they were opened.
func TestReportClocks(t *testing.T) {
	a, e := acme(t)
	r := report(t, a, "2026-10", e, sla.ReportOptions{})
	for _, want := range []struct {
		clause      sla.Clause
		within      time.Duration
		strict      bool
		n           int
		mean, p95   string
		met, missed int
		compliance  string
	}{
		// 510/5 = 102; sorted 60 60 90 120 180, position 3.8 → 120 + 0.8 · 60
		{clause: sla.ClauseResponse, within: 2 * time.Minute, n: 5, mean: "102", p95: "168", met: 4, missed: 1, compliance: "4/5"},
		// 300 + 660 + 35 700 + 220 + 600 = 37 480; 660 + 0.8 · 35 040
		{clause: sla.ClauseResolution, within: 2 * time.Hour, strict: true, n: 5, mean: "7496", p95: "28692", met: 4, missed: 1, compliance: "4/5"},
	} {
		at := slices.IndexFunc(r.Response, func(c sla.ClockReport) bool { return c.Clause == want.clause && c.Severity == incident.P1 })
		c := r.Response[at]
		equalText(t, string(want.clause), []any{c.Within, c.Strict, c.Took.N, c.Took.Mean, c.Took.P95, c.Met, c.Missed, c.Compliance()},
			[]any{want.within, want.strict, want.n, want.mean, want.p95, want.met, want.missed, want.compliance})
	}
	equalText(t, "clocks", len(r.Response), 8)
}

// What the trend says of a month is what the report of that month says.
func TestReportTrend(t *testing.T) {
	a, e := acme(t)
	trend := report(t, a, "2026-10", e, sla.ReportOptions{Trend: 4}).Trend
	var months []string
	for _, m := range trend {
		months = append(months, m.Month)
		own := report(t, a, m.Month, e, sla.ReportOptions{Trend: 1})
		if len(own.Trend) != 1 || !reflect.DeepEqual(own.Trend[0], m) {
			t.Errorf("%s in the trend = %+v, by itself %+v", m.Month, m, own.Trend)
		}
		equalText(t, m.Month, []any{m.Value, m.Outcome, m.Incidents}, []any{own.Statement.Overall[0].Value, own.Statement.Overall[0].Outcome, own.Incidents.Total})
	}
	equalText(t, "months", months, "[2026-07 2026-08 2026-09 2026-10]")
	if trend := report(t, a, "2026-10", e, sla.ReportOptions{Trend: -1}).Trend; trend != nil {
		t.Errorf("trend left out = %v", trend)
	}

	contract := a.Contract()
	contract.From = when(t, "2026-10-01T00:00:00+02:00")
	young, err := sla.Compile(contract)
	if err != nil {
		t.Fatal(err)
	}
	before := report(t, young, "2026-10", e, sla.ReportOptions{}).Trend[0]
	equalText(t, "before the contract", []any{before.Month, before.Outcome, before.Incidents}, "[2026-08 no_data 0]")
}

// A window that begins now is still ahead; one that began in the period is past
// as well. CHG-705 was never announced.
func TestReportMaintenance(t *testing.T) {
	a, e := acme(t)
	e.Maintenance = append(e.Maintenance, sla.Maintenance{Ref: "CHG-705", Start: when(t, "2026-11-07T21:00:00Z"), End: when(t, "2026-11-07T22:00:00Z")})
	for _, c := range []struct{ now, past, upcoming string }{
		{"2026-10-14T11:00:00Z", "CHG-700 true CHG-701 false", "CHG-701 false CHG-702 true CHG-705 false"},
		{"2026-10-14T11:00:01Z", "CHG-700 true CHG-701 false", "CHG-702 true CHG-705 false"},
		{"2026-11-07T21:00:01Z", "CHG-700 true CHG-701 false", ""},
		{"", "CHG-700 true CHG-701 false", "CHG-702 true CHG-705 false"}, // the evidence ends on 2 November
	} {
		m := report(t, a, "2026-10", e, sla.ReportOptions{At: when(t, c.now)}).Maintenance
		list := func(works []sla.PlannedWork) string {
			var out []string
			for _, w := range works {
				out = append(out, fmt.Sprintf("%s %v", w.Ref, w.NoticeOK))
			}
			return strings.Join(out, " ")
		}
		if past, upcoming := list(m.Past), list(m.Upcoming); past != c.past || upcoming != c.upcoming {
			t.Errorf("at %q: past %q, upcoming %q, want %q, %q", c.now, past, upcoming, c.past, c.upcoming)
		}
	}
}

// A contract without availability has a report all the same.
func TestReportOfOtherTerms(t *testing.T) {
	a, e := acme(t)
	contract := a.Contract()
	contract.Terms = contract.Terms[1:2] // response
	answers, err := sla.Compile(contract)
	if err != nil {
		t.Fatal(err)
	}
	r := report(t, answers, "2026-10", e, sla.ReportOptions{})
	uptime, _ := r.KeyFigure(sla.KPIUptime)
	if len(r.Availability) != 0 || uptime.Value.IsSet() || uptime.Target.IsSet() || uptime.Outcome != "" {
		t.Errorf("availability %v, uptime %+v, want none", r.Availability, uptime)
	}
	compliance, _ := r.KeyFigure(sla.KPICompliance)
	equalText(t, "compliance", compliance.Explain(), "sla_compliance_rate: 85.714285 % over 7") // 6 of 7 answers
	equalText(t, "trend", r.Trend[2].Outcome, sla.NoData)
}

// Shuffled evidence gives the same bytes, the services and days add up, and what
// was read back is what was written.
func TestReportLaws(t *testing.T) {
	a := reference(t, sla.Enterprise)
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		p := a.PeriodAt(time.Date(2026, time.Month(1+seed%12), 15, 0, 0, 0, 0, time.UTC))
		e := randomEvidence(rnd, p)
		options := sla.ReportOptions{Trend: int(seed%5) - 1}
		r, err := a.Report(p, e, options)
		if err != nil {
			t.Fatal(err)
		}
		first, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back sla.Report
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(back); string(again) != string(first) {
			t.Fatalf("seed %d: read back %s, wrote %s", seed, again, first)
		}
		rnd.Shuffle(len(e.Outages), func(i, j int) { e.Outages[i], e.Outages[j] = e.Outages[j], e.Outages[i] })
		rnd.Shuffle(len(e.Incidents), func(i, j int) { e.Incidents[i], e.Incidents[j] = e.Incidents[j], e.Incidents[i] })
		other, err := a.Report(p, e, options)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := json.Marshal(other); string(second) != string(first) {
			t.Fatalf("seed %d: another order gives %s, want %s", seed, second, first)
		}
		for _, s := range r.Availability {
			var down, excluded, unknown time.Duration
			for _, d := range s.Days {
				down, excluded, unknown = down+d.Down, excluded+d.Excluded, unknown+d.Unknown
			}
			if down != s.Down || excluded != s.Excluded || unknown != s.Unknown {
				t.Errorf("seed %d: days add up to %s %s %s, want %s %s %s", seed, down, excluded, unknown, s.Down, s.Excluded, s.Unknown)
			}
			if n := len(s.Burn); n > 0 && s.Burn[n-1].Left != s.Left {
				t.Errorf("seed %d: burn ends at %s, want %s", seed, s.Burn[n-1].Left, s.Left)
			}
		}
	}
}

func TestReportErrors(t *testing.T) {
	a, e := acme(t)
	if _, err := a.Report(sla.Period{}, e, sla.ReportOptions{}); err == nil {
		t.Error("a period without length has a report")
	}
	e.Incidents[2].Cost, e.Incidents[3].Cost = money.Must(money.Parse("100.00 EUR")), money.Must(money.Parse("100.00 USD"))
	p, err := sla.ParseMonth("2026-10", a.Location())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Report(p, e, sla.ReportOptions{}); err == nil || !strings.Contains(err.Error(), "cost_per_incident") {
		t.Errorf("costs in two currencies: %v, want an error that names cost_per_incident", err)
	}
}

// The second update that was owed is late by 30 minutes. Its incident says why,
// although the breach is named after the update; one that is called like an update
// is itself.
func TestReportBreachOfUpdate(t *testing.T) {
	a := agree(t, update(sla.Clock{Targets: within(time.Hour)}))
	opened := month(t, a, "2026-10").Start
	in := sla.Incident{
		ID: "INC-7", Severity: incident.P1, Opened: opened, Cause: "disk full", Action: "bigger disk",
		Updates: []time.Time{opened.Add(30 * time.Minute), opened.Add(2 * time.Hour)}, Resolved: opened.Add(2 * time.Hour),
	}
	like := in
	like.ID, like.Cause, like.Updates = "INC-7#2", "another", nil
	for _, c := range []struct {
		name      string
		incidents []sla.Incident
		want      []string
	}{
		{"one", []sla.Incident{in}, []string{"INC-7#2 [INC-7] disk full"}},
		{"one like it", []sla.Incident{in, like}, []string{"INC-7#2 [INC-7#2] another", "INC-7#2#1 [INC-7#2] another"}},
	} {
		r := report(t, a, "2026-10", sla.Evidence{Observed: month(t, a, "2026-10").Interval, Incidents: c.incidents}, sla.ReportOptions{})
		var got []string
		for _, b := range r.Breaches {
			got = append(got, fmt.Sprint(b.Ref, " ", b.Incidents, " ", b.Cause))
		}
		equalText(t, c.name, got, c.want)
	}
}
