package sla_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func TestUptimeOptions(t *testing.T) {
	reported := func(from, to, at float64) sla.Outage {
		o := outage("", from, to)
		o.Reported, _ = hoursOf(at, 0)
		return o
	}
	affected := func(from, to float64, share string) sla.Outage {
		o := outage("", from, to)
		o.Affected = percentage(share)
		return o
	}
	two := []sla.Outage{outage("", 1, 2), outage("", 3, 3.25)} // 60 and 15 min
	for _, c := range []struct {
		name    string
		measure sla.Measure
		outages []sla.Outage
		down    time.Duration
	}{
		{"to the nanosecond", sla.Uptime{}, two, 75 * time.Minute},
		{"longer than an hour", sla.Uptime{MinOutage: time.Hour}, two, 0},
		{"an hour at least", sla.Uptime{MinOutage: time.Hour, AtLeast: true}, two, time.Hour},
		{"a union is one stretch", sla.Uptime{MinOutage: time.Hour}, []sla.Outage{outage("", 1, 2), outage("", 2, 2.5)}, 90 * time.Minute},
		{"started units", sla.Uptime{Unit: 40 * time.Minute, Partial: sla.PartialUp}, two, 2*40*time.Minute + 40*time.Minute},
		{"full units", sla.Uptime{Unit: 40 * time.Minute, Partial: sla.PartialDown}, two, 40 * time.Minute},
		{"a unit and no rounding", sla.Uptime{Unit: 40 * time.Minute}, two, 75 * time.Minute},
		{"a whole unit is not rounded", sla.Uptime{Unit: time.Hour, Partial: sla.PartialUp}, two[:1], time.Hour},
		{"sum of two reports", sla.Uptime{Overlap: sla.OverlapSum}, []sla.Outage{outage("", 1, 3), outage("", 2, 4)}, 4 * time.Hour},
		{"a sum is at most all", sla.Uptime{Overlap: sla.OverlapSum}, []sla.Outage{outage("", 0, 20), outage("", 1, 21)}, 24 * time.Hour},
		{"sum in started units of each report", sla.Uptime{Overlap: sla.OverlapSum, Unit: time.Hour, Partial: sla.PartialUp}, []sla.Outage{outage("", 1, 2.5), outage("", 2, 2.5)}, 3 * time.Hour},
		{"from the report", sla.Uptime{FromReport: true}, []sla.Outage{reported(1, 3, 1.5), outage("", 5, 6)}, 150 * time.Minute},
		{"reported before", sla.Uptime{FromReport: true}, []sla.Outage{reported(1, 3, 0.5)}, 2 * time.Hour},
		{"reported when it was over", sla.Uptime{FromReport: true}, []sla.Outage{reported(1, 3, 4)}, 0},
		// The first is down from its report at 2 on, the second from 1 on.
		{"sum from the reports", sla.Uptime{FromReport: true, Overlap: sla.OverlapSum}, []sla.Outage{reported(1, 3, 2), reported(1, 3, 0)}, 3 * time.Hour},
		// An hour for 20 %, an hour for both, of whom the 50 % count, an hour for 50 %.
		{"affected customers", sla.AffectedRatio{}, []sla.Outage{affected(1, 3, "20"), affected(2, 4, "50")}, 72 * time.Minute},
		{"all customers where nothing is said", sla.AffectedRatio{}, []sla.Outage{outage("", 1, 2), affected(1, 3, "0")}, time.Hour},
		{"nobody", sla.AffectedRatio{}, []sla.Outage{affected(1, 3, "0")}, 0},
	} {
		m := measured(t, func(a *sla.Availability, e *sla.Evidence) { a.Measure, e.Outages = c.measure, c.outages })
		want, _ := sla.NewFraction(uint64(24*time.Hour-c.down), uint64(24*time.Hour))
		if m.Down != c.down || m.Value.Compare(want) != 0 {
			t.Errorf("%s: down %s, value %s, want %s, %s", c.name, m.Down, m.Value, c.down, want)
		}
	}
}

// Of 1000 requests 10 failed and 40 were slow. Those in maintenance and outside
// the service hours do not count.
func TestEvents(t *testing.T) {
	count := func(hour float64, total, failed, slow uint64) sla.Requests {
		at, _ := hoursOf(hour, 0)
		return sla.Requests{Start: at, Total: total, Failed: failed, Slow: slow}
	}
	for _, c := range []struct {
		name   string
		credit string
		counts []sla.Requests
		want   string
	}{
		{"slow ones are worth nothing", "0", []sla.Requests{count(9, 600, 10, 0), count(10, 400, 0, 40)}, "19/20"}, // 950/1000
		{"slow ones are worth half", "50", []sla.Requests{count(9, 600, 10, 0), count(10, 400, 0, 40)}, "97/100"},  // 970/1000
		{"slow ones are as good", "100", []sla.Requests{count(9, 600, 10, 0), count(10, 400, 0, 40)}, "99/100"},    // 990/1000
		{"not in maintenance", "0", []sla.Requests{count(9, 600, 10, 0), count(10, 400, 0, 40), count(12, 9, 9, 0)}, "19/20"},
		{"not at night", "0", []sla.Requests{count(9, 600, 10, 0), count(10, 400, 0, 40), count(2, 9, 9, 0)}, "19/20"},
		{"none", "0", nil, "no data"},
		{"none that count", "0", []sla.Requests{count(2, 9, 9, 0)}, "no data"},
	} {
		contract := uptime(percent("99"), "1000.00", nil)
		contract.Calendars = map[string]calendar.Hours{"day": {Zone: "UTC", Week: calendar.EveryDay("08:00", "18:00")}}
		a := contract.Terms[0].Availability
		a.Measure, a.ServiceHours = sla.Events{SlowCredit: percent(c.credit)}, "day"
		s := statement(t, contract, sla.Evidence{Requests: c.counts, Maintenance: []sla.Maintenance{maintenance("m", 12, 13)}, Outages: []sla.Outage{outage("", 9, 17)}})
		m := s.Availability[0]
		if m.Value.String() != c.want || m.Promised != 0 || m.Budget != 0 || len(m.Downtime) != 2 {
			t.Errorf("%s: %+v, want %s, no budget, and the outage on both sides of maintenance", c.name, m, c.want)
		}
		if (m.Outcome == sla.NoData) != (c.want == "no data") {
			t.Errorf("%s: outcome %s", c.name, m.Outcome)
		}
	}
}

// Five hours a year: m1 of March takes one, m2 three, so m3 has one of its four.
func TestMaintenancePerYear(t *testing.T) {
	e := sla.Evidence{
		Maintenance: []sla.Maintenance{maintenance("m3", 10, 14), maintenance("m2", 1, 4), maintenance("m1", -20, -19), maintenance("old", -24*365, -24*365+9)},
		Outages:     []sla.Outage{outage("", 1, 4), outage("", 10, 14)},
	}
	cancelled := maintenance("m0", -30, -20)
	cancelled.Cancelled = true
	emergency := maintenance("m9", 0, 1)
	emergency.Emergency = true
	e.Maintenance = append(e.Maintenance, cancelled, emergency)
	m := measured(t, func(a *sla.Availability, ev *sla.Evidence) {
		a.MaintenancePerYear = 5 * time.Hour
		ev.Maintenance, ev.Outages = e.Maintenance, e.Outages
	})
	equalText(t, "down", []time.Duration{m.RawDown, m.Excluded, m.Down}, []time.Duration{7 * time.Hour, 4 * time.Hour, 3 * time.Hour})
	equalText(t, "exclusions", m.Exclusions, "[{m2 maintenance 3h0m0s} {m3 maintenance 1h0m0s}]")
	equalText(t, "rejected", m.Rejected, "[{m3 yearly_limit 3h0m0s}]")
}

// Of three windows from 1:00 to 7:00, of which two overlap, five hours are
// excluded: the hour that two of them share is one hour of the year.
func TestMaintenancePerYearOfOverlappingWindows(t *testing.T) {
	m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
		a.MaintenancePerYear = 5 * time.Hour
		e.Maintenance = []sla.Maintenance{maintenance("m1", 1, 4), maintenance("m2", 3, 5), maintenance("within", 2, 3), maintenance("m3", 5, 7)}
		e.Outages = []sla.Outage{outage("", 1, 7)}
	})
	equalText(t, "down", []time.Duration{m.RawDown, m.Excluded, m.Down}, []time.Duration{6 * time.Hour, 5 * time.Hour, time.Hour})
	equalText(t, "exclusions", m.Exclusions, "[{m1 maintenance 3h0m0s} {m2 maintenance 1h0m0s} {m3 maintenance 1h0m0s}]")
	equalText(t, "rejected", m.Rejected, "[{m3 yearly_limit 1h0m0s}]")
}

// The year turns at midnight in the zone of the contract: at 23:00 UTC in
// Amsterdam.
func TestMaintenanceYearOfTheZone(t *testing.T) {
	at := func(text string) time.Time { return instant(t, text) }
	p := sla.Period{Label: "turn", Interval: calendar.Interval{Start: at("2026-12-31T00:00:00Z"), End: at("2027-01-01T12:00:00Z")}}
	for zone, want := range map[string]time.Duration{"Europe/Amsterdam": 0, "UTC": time.Hour} {
		c := uptime(percent("99"), "1000.00", nil)
		c.Zone, c.Terms[0].Availability.MaintenancePerYear = zone, time.Hour
		s, err := sla.Evaluate(c, p, sla.Evidence{
			Observed: p.Interval,
			Maintenance: []sla.Maintenance{
				{Ref: "a", Start: at("2026-12-31T22:00:00Z"), End: at("2026-12-31T23:00:00Z")}, {Ref: "b", Start: at("2026-12-31T23:00:00Z"), End: at("2027-01-01T00:00:00Z")},
			},
			Outages: []sla.Outage{{Start: at("2026-12-31T22:00:00Z"), End: at("2027-01-01T00:00:00Z")}},
		})
		if err != nil || s.Availability[0].Down != want {
			t.Errorf("%s: down %s, %v, want %s", zone, s.Availability[0].Down, err, want)
		}
	}
}

// 72 hours of notice over a change of the clock in Amsterdam, elapsed and on the
// wall.
func TestNoticeOnTheWallClock(t *testing.T) {
	for _, c := range []struct {
		name             string
		announced, start string
		elapsed, local   bool
	}{
		// Friday 03:00 (+1) to Monday 03:00 (+2) is 71 h elapsed.
		{"clock put on", "2026-03-27T02:00:00Z", "2026-03-30T01:00:00Z", false, true},
		// Friday 03:00 (+2) to Monday 02:30 (+1) is 72.5 h elapsed, 71.5 h on the wall.
		{"clock put back", "2026-10-23T01:00:00Z", "2026-10-26T01:30:00Z", true, false},
		{"exactly, in winter", "2026-01-05T10:00:00Z", "2026-01-08T10:00:00Z", true, true},
		{"a second short", "2026-01-05T10:00:01Z", "2026-01-08T10:00:00Z", false, false},
		{"not announced", "", "2026-01-08T10:00:00Z", false, false},
	} {
		start := instant(t, c.start)
		window := sla.Maintenance{Ref: "m", Start: start, End: start.Add(time.Hour)}
		if c.announced != "" {
			window.Announced = instant(t, c.announced)
		}
		p := sla.Period{Label: "day", Interval: calendar.Interval{Start: start.Add(-time.Hour), End: start.Add(23 * time.Hour)}}
		for _, local := range []bool{false, true} {
			contract := uptime(percent("99"), "1000.00", nil)
			contract.Zone = "Europe/Amsterdam"
			a := contract.Terms[0].Availability
			a.MinNotice, a.NoticeLocal = 72*time.Hour, local
			s, err := sla.Evaluate(contract, p, sla.Evidence{Observed: p.Interval, Maintenance: []sla.Maintenance{window}, Outages: []sla.Outage{{Start: window.Start, End: window.End}}})
			if err != nil {
				t.Fatal(err)
			}
			want := c.elapsed
			if local {
				want = c.local
			}
			if m := s.Availability[0]; (m.Down == 0) != want || (len(m.Rejected) == 0) != want {
				t.Errorf("%s, local %v: down %s, rejected %+v, want excluded %v", c.name, local, m.Down, m.Rejected, want)
			}
			if hasFinding(s, sla.FindingNoNotice) != (c.announced == "") {
				t.Errorf("%s: findings %+v", c.name, s.Findings)
			}
		}
	}
}

// What cannot be judged is counted, by the first reason that fits, and reported
// where somebody may have to mend it.
func TestQuality(t *testing.T) {
	gap := func(service string, from, to float64) sla.Gap {
		start, end := hoursOf(from, to)
		return sla.Gap{Service: service, Start: start, End: end}
	}
	at := func(hour float64) time.Time {
		start, _ := hoursOf(hour, 0)
		return start
	}
	open := func(service string, from float64) sla.Outage { return sla.Outage{Service: service, Start: at(from)} }
	cancelled := maintenance("m", 30, 31)
	cancelled.Cancelled = true
	services := func(ids ...string) func(*sla.Contract) {
		return func(c *sla.Contract) {
			for _, id := range ids {
				c.Terms[0].Availability.Services = append(c.Terms[0].Availability.Services, sla.Service{ID: id})
			}
		}
	}
	for _, c := range []struct {
		name     string
		contract func(*sla.Contract)
		evidence sla.Evidence
		until    float64 // of the observed time, 24 by default
		want     string  // empty, outside, unassigned, shared
		findings string
	}{
		{"nothing", services("a", "b"), sla.Evidence{}, 0, "0 0 0 0", "[]"},
		{"judged", services("a", "b"), sla.Evidence{
			Outages: []sla.Outage{outage("a", 1, 2), outage("*", 1, 2)}, Gaps: []sla.Gap{gap("b", 3, 4)}, Maintenance: []sla.Maintenance{maintenance("m", 5, 6)},
			Requests: []sla.Requests{{Service: "a", Start: at(7)}},
		}, 0, "0 0 0 0", "[unknown_time]"},
		{"without length", services("a"), sla.Evidence{
			Outages: []sla.Outage{outage("a", 1, 1), outage("z", 99, 99)}, Gaps: []sla.Gap{gap("a", 3, 3)}, Maintenance: []sla.Maintenance{maintenance("m", 5, 5)},
		}, 0, "4 0 0 0", "[]"},
		{"before and after", services("a"), sla.Evidence{
			Outages: []sla.Outage{outage("a", -2, -1), outage("a", -2, 0), outage("a", 24, 25), open("a", 24)}, Gaps: []sla.Gap{gap("", 30, 40)},
			Maintenance: []sla.Maintenance{maintenance("m", 30, 31), cancelled}, Requests: []sla.Requests{{Start: at(24)}},
		}, 0, "0 7 0 0", "[]"},
		{"over both ends", services("a"), sla.Evidence{Outages: []sla.Outage{outage("a", -2, 0.01), outage("a", 23.99, 25)}}, 0, "0 0 0 0", "[]"},
		{"after the time that was observed", services("a"), sla.Evidence{
			Outages: []sla.Outage{outage("a", 5, 7), outage("a", 6, 7), open("a", 8), outage("a", 24, 25)},
		}, 6, "0 3 0 0", "[estimate late_evidence]"},
		{"of unknown services", services("a", "b"), sla.Evidence{
			Outages: []sla.Outage{outage("x", 1, 2), outage("y", 1, 2), outage("x", -2, -1)}, Gaps: []sla.Gap{gap("x", 3, 4)},
			Maintenance: []sla.Maintenance{{Service: "y", Start: at(5), End: at(6)}}, Requests: []sla.Requests{{Service: "x", Start: at(7)}},
		}, 0, "0 1 5 0", "[unassigned_evidence unassigned_evidence]"},
		{"without a service, judged against two", services("a", "b"), sla.Evidence{
			Outages: []sla.Outage{outage("", 1, 2)}, Requests: []sla.Requests{{Start: at(7)}}, Gaps: []sla.Gap{gap("", 3, 4)}, Maintenance: []sla.Maintenance{maintenance("m", 5, 6)},
		}, 0, "0 0 0 2", "[unknown_time unknown_time shared_evidence]"},
		{"without a service, judged against one", services("a"), sla.Evidence{Outages: []sla.Outage{outage("", 1, 2)}}, 0, "0 0 0 0", "[]"},
		{"a term that takes all services", services(), sla.Evidence{Outages: []sla.Outage{outage("x", 1, 2), outage("", 1, 2)}}, 0, "0 0 0 0", "[]"},
		{"beside a term that takes all", func(c *sla.Contract) {
			services("a", "b")(c)
			c.Terms = append(c.Terms, sla.Term{ID: "all", Availability: &sla.Availability{Target: percent("90")}})
		}, sla.Evidence{Outages: []sla.Outage{outage("x", 1, 2)}}, 0, "0 0 0 0", "[]"},
		{"no term about availability", func(c *sla.Contract) {
			c.Terms = []sla.Term{{ID: "m", Monitoring: &sla.Monitoring{PercentPerHour: percent("1")}}}
		}, sla.Evidence{Outages: []sla.Outage{outage("x", 1, 2)}, Gaps: []sla.Gap{gap("x", 3, 4)}}, 0, "0 0 0 0", "[no_term]"},
		{"no term about lost data", services("a"), sla.Evidence{Losses: []sla.Loss{
			{Ref: "l", At: at(1), Claimed: eur("1.00")}, {Ref: "later", At: at(24), Claimed: eur("1.00")},
		}}, 0, "0 0 0 0", "[no_term]"},
	} {
		contract := uptime(percent("1"), "1000.00", nil)
		c.contract(&contract)
		e := c.evidence
		e.Observed = day.Interval
		if c.until > 0 {
			_, e.Observed.End = hoursOf(0, c.until)
		}
		s := statement(t, contract, e)
		q := s.Quality
		got := fmt.Sprint(q.Empty, q.Outside, q.Unassigned, q.Shared)
		var codes []string
		for _, f := range s.Findings {
			codes = append(codes, f.Code)
		}
		if got != c.want || fmt.Sprint(codes) != c.findings {
			t.Errorf("%s: %s and %s, want %s and %s", c.name, got, codes, c.want, c.findings)
		}
	}
}

// A loss that cannot be paid in the currency of the liability is named.
func TestLossCurrency(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms = []sla.Term{{ID: "loss", DataLoss: &sla.Liability{Fees: 2}}}
	e := sla.Evidence{Observed: day.Interval, Invoiced: []money.Amount{eur("1.00"), money.Must(money.Parse("1.00 USD"))}}
	if _, err := sla.Evaluate(c, day, e); err == nil {
		t.Error("fees in two currencies: want an error")
	}
}
