package sla_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// acme is a worked sample that was computed by hand: October 2026 in Amsterdam,
// a month of 745 hours, for two services under the enterprise tier.
func acme(tb testing.TB) (*sla.Agreement, sla.Evidence) {
	tb.Helper()
	c := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", money.Must(money.Parse("100000.00 EUR")))
	availability := c.Terms[0].Availability
	availability.Services = []sla.Service{{ID: "api-gateway"}, {ID: "checkout"}}
	availability.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		out, err := time.Parse("01-02T15:04:05", text)
		if err != nil {
			tb.Fatal(err)
		}
		return out.AddDate(2026, 0, 0)
	}
	outage := func(service, start, end string, cause sla.Cause, ref string) sla.Outage {
		return sla.Outage{Ref: ref, Service: service, Start: at(start), End: at(end), Cause: cause}
	}
	degraded := outage("checkout", "10-28T08:00:00", "10-28T08:10:00", "provider", "")
	degraded.Degraded = true
	in := func(id, service string, s incident.Severity, detected, opened, responded, resolved string) sla.Incident {
		return sla.Incident{
			ID: id, Service: service, Severity: s, Detected: at(detected), Opened: at(opened), Responded: at(responded), Resolved: at(resolved),
		}
	}
	return a, sla.Evidence{
		Observed: calendar.Interval{Start: at("07-31T22:00:00"), End: at("11-02T08:00:00")},
		Outages: []sla.Outage{
			outage("api-gateway", "09-12T08:00:00", "09-12T08:30:00", "provider", "INC-090"),
			outage("api-gateway", "10-04T05:00:00", "10-04T05:06:00", "provider", "INC-101"),
			outage("api-gateway", "10-10T00:00:00", "10-10T00:12:00", "provider", "INC-104"),
			outage("api-gateway", "10-10T00:04:00", "10-10T00:08:00", "provider", "INC-104"),
			outage("checkout", "10-14T02:00:00", "10-14T12:00:00", "provider", "INC-110"),
			outage("checkout", "10-16T09:00:00", "10-16T09:20:00", "customer", "INC-112"),
			outage("api-gateway", "10-17T12:00:00", "10-17T12:04:00", "provider", "INC-113"),
			outage("api-gateway", "10-27T00:00:00", "10-27T00:11:00", "provider", "INC-120"),
			degraded,
			outage("checkout", "10-31T22:50:00", "", "provider", "INC-123"),
		},
		Gaps: []sla.Gap{{Service: "api-gateway", Start: at("10-20T10:00:00"), End: at("10-20T11:30:00")}},
		Maintenance: []sla.Maintenance{
			{Ref: "CHG-700", Service: "checkout", Start: at("10-14T02:00:00"), End: at("10-14T04:00:00"), Announced: at("10-09T02:00:00")},
			{Ref: "CHG-701", Service: "checkout", Start: at("10-14T11:00:00"), End: at("10-14T12:30:00"), Announced: at("10-13T11:00:00")},
			{Ref: "CHG-702", Service: "*", Start: at("11-07T21:00:00"), End: at("11-07T22:30:00"), Announced: at("10-29T08:00:00")},
			{Ref: "CHG-704", Service: "api-gateway", Start: at("11-05T21:00:00"), End: at("11-05T22:00:00"), Announced: at("10-20T09:00:00"), Cancelled: true},
		},
		Incidents: []sla.Incident{
			in("INC-090", "api-gateway", incident.P1, "09-12T08:01:00", "09-12T08:01:00", "09-12T08:02:00", "09-12T08:30:00"),
			in("INC-101", "api-gateway", incident.P1, "10-04T05:00:30", "10-04T05:01:00", "10-04T05:02:30", "10-04T05:06:00"),
			in("INC-104", "api-gateway", incident.P1, "10-10T00:00:40", "10-10T00:01:00", "10-10T00:04:00", "10-10T00:12:00"),
			in("INC-110", "checkout", incident.P1, "10-14T02:04:00", "10-14T02:05:00", "10-14T02:06:00", "10-14T12:00:00"),
			in("INC-112", "checkout", incident.P2, "10-16T09:02:00", "10-16T09:05:00", "10-16T09:20:00", "10-16T09:30:00"),
			in("INC-113", "api-gateway", incident.P1, "10-17T12:00:10", "10-17T12:00:20", "10-17T12:02:20", "10-17T12:04:00"),
			in("INC-120", "api-gateway", incident.P1, "10-27T00:00:30", "10-27T00:01:00", "10-27T00:02:00", "10-27T00:11:00"),
			in("INC-121", "api-gateway", incident.P3, "", "10-30T10:00:00", "10-30T10:59:59", ""),
			in("INC-122", "checkout", incident.P4, "", "10-31T22:30:00", "", ""),
			in("INC-123", "checkout", incident.P1, "10-31T22:51:00", "10-31T22:59:00", "10-31T23:05:00", "11-01T01:30:00"),
		},
	}
}

func TestAcmeAvailability(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	const second = time.Second
	equalText(t, "period", s.Period.Duration(), 2682000*second)
	equalText(t, "complete", s.Complete, true)
	for i, want := range []struct {
		service                                      string
		raw, excluded, down, degraded, unknown, left time.Duration
		value, percent                               string
		outcome                                      sla.Outcome
	}{
		{"api-gateway", 1980, 0, 1980, 0, 5400, 702, "14889/14900", "99.926174", sla.Met},
		{"checkout", 37800, 8400, 29400, 600, 0, -26718, "4421/4470", "98.903803", sla.Missed},
	} {
		m := s.Availability[i]
		equalText(t, want.service+" service", m.Service, want.service)
		equalText(t, want.service+" promised", m.Promised, 2682000*second)
		equalText(t, want.service+" budget", m.Budget, 2682*second)
		equalText(t, want.service+" figures",
			[]time.Duration{m.RawDown, m.Excluded, m.Down, m.Degraded, m.Unknown, m.BudgetLeft},
			[]time.Duration{want.raw * second, want.excluded * second, want.down * second, want.degraded * second, want.unknown * second, want.left * second})
		equalText(t, want.service+" value", m.Value, want.value)
		equalText(t, want.service+" percent", m.Value.Percent(6), want.percent)
		equalText(t, want.service+" outcome", m.Outcome, want.outcome)
	}
	equalText(t, "exclusions", s.Availability[1].Exclusions, "[{CHG-700 maintenance 2h0m0s} {INC-112 customer 20m0s}]")
	equalText(t, "rejected", s.Availability[1].Rejected, "[{CHG-701 short_notice 1h0m0s}]")
	equalText(t, "evidence", s.Availability[1].Evidence, "[INC-110 INC-123]")
	equalText(t, "quality", s.Quality, sla.Quality{
		Unknown: 5400 * second, Of: 2 * 2682000 * second, Grade: sla.GradePartial,
		Outside: 2, // INC-090 in September and CHG-702 in November; CHG-704 was cancelled
	})
}

func TestAcmeCredits(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	var lines []string
	for _, l := range s.Lines {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", l.Clause, l.Ref, l.Basis, l.Amount))
	}
	want := []string{
		"availability checkout percent_of_fee 10000.00 EUR",
		"response INC-104 per_incident 500.00 EUR",
		"resolution INC-110 percent_of_fee 5000.00 EUR",
		"resolution INC-121 percent_of_fee 5000.00 EUR",
		"monitoring monitoring percent_of_fee_per_hour 1500.00 EUR",
	}
	equalText(t, "lines", lines, want)
	equalText(t, "payable", s.Payable, "22000.00 EUR")
	equalText(t, "gross", s.Gross, "22000.00 EUR")
	equalText(t, "cap", s.Cap, "100000.00 EUR")
	equalText(t, "state", s.State, sla.StateDue)
	var breaches []string
	for _, b := range s.Breaches {
		breaches = append(breaches, fmt.Sprintf("%s %s %s %s of %s", b.Ref, b.Severity, b.At.Format(time.RFC3339), b.Actual, b.Promised))
	}
	equalText(t, "breaches", breaches, []string{
		"checkout unset 2026-10-31T23:00:00Z 0s of 0s",
		"INC-104 P1 2026-10-10T00:03:00Z 3m0s of 2m0s",
		"INC-110 P1 2026-10-14T04:05:00Z 9h55m0s of 2h0m0s",
		"INC-121 P3 2026-10-31T10:00:00Z 37h0m0s of 24h0m0s",
		"monitoring unset 2026-10-20T10:00:00Z 1h30m0s of 0s",
	})
	// Met, missed and pending by severity, as in the sample.
	tallies := map[string]string{}
	for _, c := range s.Clocks {
		tallies[fmt.Sprintf("%s %s", c.Clause, c.Severity)] = fmt.Sprintf("%d %d %d", c.Met, c.Missed, c.Pending)
	}
	for clock, want := range map[string]string{
		"response P1": "4 1 1", "response P2": "1 0 0", "response P3": "1 0 0", "response P4": "0 0 1",
		"resolution P1": "4 1 1", "resolution P2": "1 0 0", "resolution P3": "0 1 0", "resolution P4": "0 0 1",
	} {
		equalText(t, clock, tallies[clock], want)
	}
}

func TestAcmeOtherMonths(t *testing.T) {
	a, e := acme(t)
	for _, c := range []struct {
		month   string
		state   sla.State
		payable string
	}{
		{"2026-07", sla.StateNoData, "0.00 EUR"},
		{"2026-08", sla.StateNone, "0.00 EUR"},
		{"2026-09", sla.StateNone, "0.00 EUR"},
		{"2026-12", sla.StateNoData, "0.00 EUR"},
	} {
		s := evaluate(t, a, month(t, a, c.month), e)
		if s.State != c.state || s.Payable.String() != c.payable {
			t.Errorf("%s: state %s, payable %s, want %s, %s", c.month, s.State, s.Payable, c.state, c.payable)
		}
	}
	september := evaluate(t, a, month(t, a, "2026-09"), e)
	equalText(t, "September", september.Availability[0].Value.Percent(6), "99.930555")

	// INC-123, opened a minute before midnight, is late in November; the month
	// is not over.
	november := evaluate(t, a, month(t, a, "2026-11"), e)
	equalText(t, "November complete", november.Complete, false)
	found := false
	for _, b := range november.Breaches {
		found = found || b.Ref == "INC-123" && b.Clause == sla.ClauseResponse
		if b.Ref == "INC-110" || b.Clause == sla.ClauseResolution && b.Ref == "INC-121" {
			t.Errorf("November repeats the breach of %s", b.Ref)
		}
	}
	equalText(t, "INC-123 late in November", found, true)
}

// 2682 s of 745 h are exactly 99.9 %; one second more misses the target, but
// only the extended top band pays for it.
func TestAcmeExactBound(t *testing.T) {
	a, _ := acme(t)
	p := month(t, a, "2026-10")
	for _, c := range []struct {
		seconds time.Duration
		extend  bool
		state   sla.State
		payable string
	}{
		{2682, false, sla.StateNone, "0.00 EUR"},
		{2682, true, sla.StateNone, "0.00 EUR"},
		{2683, false, sla.StateBreachNoBand, "0.00 EUR"},
		{2683, true, sla.StateDue, "10000.00 EUR"},
	} {
		contract := a.Contract()
		term := *contract.Terms[0].Availability
		term.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: c.extend}
		contract.Terms = []sla.Term{{ID: "availability", Availability: &term}}
		s, err := sla.Evaluate(contract, p, sla.Evidence{Observed: p.Interval, Outages: []sla.Outage{
			{Service: "checkout", Start: p.Start, End: p.Start.Add(c.seconds * time.Second)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if s.State != c.state || s.Payable.String() != c.payable {
			t.Errorf("%d s down, extended %v: %s, %s, want %s, %s", c.seconds, c.extend, s.State, s.Payable, c.state, c.payable)
		}
		if gap := hasFinding(s, sla.CodeCreditGap); gap != (c.state == sla.StateBreachNoBand) {
			t.Errorf("%d s down, extended %v: credit gap = %v", c.seconds, c.extend, gap)
		}
	}
}
