package sla_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func outlook(tb testing.TB, a *sla.Agreement, p sla.Period, e sla.Evidence, at time.Time) sla.Outlook {
	tb.Helper()
	o, err := a.Outlook(p, e, at)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// Enterprise over 720 hours: 99.9 % allows 43m12s down, and the bands begin at more
// than 7h12m (99 %), 14h24m (98 %) and 36h (95 %). Ten minutes are used up.
func TestOutlook(t *testing.T) {
	a, err := sla.Compile(sla.Preset("acme", sla.Enterprise, "UTC", money.Must(money.Parse("100000.00 EUR"))))
	noError(t, err)
	p := month(t, a, "2026-04")
	at := p.Start.AddDate(0, 0, 19)
	e := sla.Evidence{
		Observed: calendar.Interval{Start: p.Start, End: p.End}, // more than is known at the instant
		Outages: []sla.Outage{
			{Ref: "INC-1", Start: at.Add(-10 * time.Minute)},
			{Ref: "INC-2", Start: at.Add(time.Hour), End: at.Add(2 * time.Hour)},
		},
		Incidents: []sla.Incident{
			{ID: "INC-1", Severity: incident.P1, Opened: at.Add(-time.Minute), Resolved: at.Add(5 * time.Hour)},
			{ID: "INC-3", Severity: incident.P4, Opened: at.Add(time.Minute)},
			{ID: "INC-4", Severity: incident.P2, Opened: at.Add(-10 * time.Hour), Responded: at.Add(-9 * time.Hour)},
		},
	}
	o := outlook(t, a, p, e, at)
	same(t, "len(o.Services)", len(o.Services), 1)
	s := o.Services[0]
	same(t, "s.Outcome", s.Outcome, sla.Met)
	same(t, "s.Value.String()", s.Value.String(), "4319/4320")
	same(t, "s.Down", s.Down, 10*time.Minute)
	same(t, "s.Rest", s.Rest, 11*24*time.Hour)
	same(t, "s.Left", s.Left, 33*time.Minute+12*time.Second)
	same(t, "s.BreachAt", s.BreachAt, at.Add(33*time.Minute+12*time.Second))
	same(t, "s.Band", s.Band, (*sla.Band)(nil))
	same(t, "len(s.Ahead)", len(s.Ahead), 3)
	for i, want := range []struct {
		left   time.Duration
		credit string
	}{
		{7*time.Hour + 2*time.Minute, "10000.00 EUR"},
		{14*time.Hour + 14*time.Minute, "25000.00 EUR"},
		{35*time.Hour + 50*time.Minute, "50000.00 EUR"},
	} {
		same(t, "s.Ahead[i].Left", s.Ahead[i].Left, want.left)
		same(t, "s.Ahead[i].At", s.Ahead[i].At, at.Add(want.left))
		same(t, "s.Ahead[i].Credit.String()", s.Ahead[i].Credit.String(), want.credit)
	}

	// INC-1 has to be answered within 2 minutes (EUR 500) and restored within
	// 2 hours (5 %). INC-4 was answered 45 minutes late (EUR 200), and missed its
	// 8 hours to restore 2 hours ago (5 %).
	same(t, "len(o.Clocks)", len(o.Clocks), 2)
	same(t, "o.Clocks[0].Clause", o.Clocks[0].Clause, sla.ClauseResponse)
	same(t, "o.Clocks[0].BreachAt", o.Clocks[0].BreachAt, at.Add(time.Minute))
	same(t, "o.Clocks[0].Credit.String()", o.Clocks[0].Credit.String(), "500.00 EUR")
	same(t, "o.Clocks[1].Clause", o.Clocks[1].Clause, sla.ClauseResolution)
	same(t, "o.Clocks[1].BreachAt", o.Clocks[1].BreachAt, at.Add(119*time.Minute))
	same(t, "o.Clocks[1].Credit.String()", o.Clocks[1].Credit.String(), "5000.00 EUR")
	same(t, "o.SoFar.String()", o.SoFar.String(), "5200.00 EUR")
	same(t, "o.Worst.String()", o.Worst.String(), "60700.00 EUR")
	same(t, "o.AtRisk.String()", o.AtRisk.String(), "55500.00 EUR")
	same(t, "len(o.Findings)", len(o.Findings), 0)
}

func TestOutlookCases(t *testing.T) {
	bands := sla.Bands{Bands: sla.ReferenceBands()}
	at, _ := hoursOf(12, 0)
	const never = -1
	for _, c := range []struct {
		name     string
		change   func(*sla.Contract, *sla.Availability, *sla.Evidence)
		left     time.Duration
		breachIn time.Duration // from noon on
		ahead    []time.Duration
	}{
		// 99 % of 24 h leave 14m24s; bands begin after 14m24s, 28m48s and 72 min.
		{"nothing happened", func(*sla.Contract, *sla.Availability, *sla.Evidence) {}, 864 * time.Second, 864 * time.Second, []time.Duration{864 * time.Second, 1728 * time.Second, 4320 * time.Second}},
		{"strict", func(_ *sla.Contract, a *sla.Availability, _ *sla.Evidence) { a.Strict = true }, 864*time.Second - 1, 864*time.Second - 1, []time.Duration{864 * time.Second, 1728 * time.Second, 4320 * time.Second}},
		{"in the first band", func(_ *sla.Contract, _ *sla.Availability, e *sla.Evidence) {
			e.Outages = []sla.Outage{outage("", 1, 1.25)}
		}, -36 * time.Second, never, []time.Duration{828 * time.Second, 3420 * time.Second}},
		{"exactly on a bound", func(_ *sla.Contract, _ *sla.Availability, e *sla.Evidence) {
			e.Outages = []sla.Outage{outage("", 1, 1.48)}
		}, -864 * time.Second, never, []time.Duration{0, 2592 * time.Second}},
		{"all used up in service hours", func(c *sla.Contract, a *sla.Availability, _ *sla.Evidence) {
			c.Calendars = map[string]calendar.Hours{"office": {Zone: "UTC", Week: calendar.EveryDay("08:00", "12:00")}}
			a.ServiceHours = "office" // 4 hours, none left
		}, 144 * time.Second, never, []time.Duration{144 * time.Second, 288 * time.Second, 720 * time.Second}},
		// 10 hours, six of them from 12:00 on: 6 min are used up at 12:06.
		{"service hours", func(c *sla.Contract, a *sla.Availability, _ *sla.Evidence) {
			c.Calendars = map[string]calendar.Hours{"office": {Zone: "UTC", Week: calendar.EveryDay("08:00", "18:00")}}
			a.ServiceHours = "office"
		}, 6 * time.Minute, 6 * time.Minute, []time.Duration{6 * time.Minute, 12 * time.Minute, 30 * time.Minute}},
		// 14m24s of 24 h, all of them up to the window at 12:14:24: only after it more counts.
		{"planned maintenance", func(_ *sla.Contract, _ *sla.Availability, e *sla.Evidence) {
			start, end := at.Add(864*time.Second), at.Add(3*time.Hour)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end, Announced: day.Start}}
		}, 864 * time.Second, 3 * time.Hour, []time.Duration{864 * time.Second, 1728 * time.Second, 4320 * time.Second}},
		{"maintenance from both sides", func(_ *sla.Contract, a *sla.Availability, e *sla.Evidence) {
			a.ExcludeMode = sla.FromBoth
			start, end := hoursOf(14, 18)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
		}, 720 * time.Second, 720 * time.Second, []time.Duration{720 * time.Second, 1440 * time.Second, 3600 * time.Second}},
		{"maintenance that nobody knows of yet", func(_ *sla.Contract, a *sla.Availability, e *sla.Evidence) {
			a.ExcludeMode = sla.FromBoth
			start, end := hoursOf(14, 18)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end, Announced: start.Add(-time.Hour)}}
		}, 864 * time.Second, 864 * time.Second, []time.Duration{864 * time.Second, 1728 * time.Second, 4320 * time.Second}},
		{"nobody measured the morning", func(_ *sla.Contract, a *sla.Availability, e *sla.Evidence) {
			a.Unknown = sla.UnknownExcluded
			e.Observed.End = day.Start.Add(2 * time.Hour) // 10 of 24 hours are unknown
		}, 504 * time.Second, 504 * time.Second, []time.Duration{504 * time.Second, 1008 * time.Second, 2520 * time.Second}},
		{"a target of everything", func(_ *sla.Contract, a *sla.Availability, _ *sla.Evidence) {
			a.Target, a.Remedy = percent("100"), sla.LostTime{Times: 1}
		}, 0, 0, nil},
		{"a target of more than everything", func(_ *sla.Contract, a *sla.Availability, _ *sla.Evidence) {
			a.Target, a.Strict, a.Remedy = percent("100"), true, nil
		}, -1, never, nil},
		// Bands of (99, 99.9] and [0, 99): exactly at 99 % nothing is earned. The
		// target of 100 % is missed first.
		{"a hole between two bands", func(_ *sla.Contract, a *sla.Availability, _ *sla.Evidence) {
			a.Target = percent("100")
			a.Remedy = sla.Bands{Bands: []sla.Band{
				{Below: percent("99.9"), From: percent("99"), Credit: percent("10"), AtBelow: true, NotAtFrom: true},
				{Below: percent("99"), Credit: percent("25")},
			}}
		}, 0, 0, []time.Duration{86400*time.Millisecond - 1, 864*time.Second - 1, 864 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			contract := uptime(percent("99"), "1000.00", nil)
			contract.Terms[0].Availability.Remedy = bands
			e := sla.Evidence{Observed: day.Interval}
			c.change(&contract, contract.Terms[0].Availability, &e)
			a, err := sla.Compile(contract)
			noError(t, err)
			s := outlook(t, a, day, e, at).Services[0]
			same(t, "s.Left", s.Left, c.left)
			if c.breachIn == never {
				same(t, "BreachAt", s.BreachAt, time.Time{})
			} else {
				same(t, "BreachAt", s.BreachAt, at.Add(c.breachIn))
			}
			var ahead []time.Duration
			for _, b := range s.Ahead {
				ahead = append(ahead, b.Left)
			}
			same(t, "ahead", ahead, c.ahead)
		})
	}
}

// Where downtime is not simply added up there is no figure but a finding.
func TestOutlookNotCondensed(t *testing.T) {
	minute := sla.Uptime{Unit: time.Minute, Partial: sla.PartialUp}
	for name, change := range map[string]func(*sla.Availability){
		"units":          func(a *sla.Availability) { a.Measure = minute },
		"minimum outage": func(a *sla.Availability) { a.Measure = sla.Uptime{MinOutage: time.Minute} },
		"sum":            func(a *sla.Availability) { a.Measure = sla.Uptime{Overlap: sla.OverlapSum} },
		"whole":          func(a *sla.Availability) { a.Measure = sla.Uptime{WholeOutages: true} },
		"affected":       func(a *sla.Availability) { a.Measure = sla.AffectedRatio{} },
		"bad slots":      func(a *sla.Availability) { a.Measure = sla.BadSlots{Slot: time.Minute, ErrorRate: percent("50")} },
		"mean":           func(a *sla.Availability) { a.Aggregate = sla.Mean },
	} {
		t.Run(name, func(t *testing.T) {
			c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
			c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}, {ID: "web"}}
			change(c.Terms[0].Availability)
			a, err := sla.Compile(c)
			noError(t, err)
			at, _ := hoursOf(12, 0)
			o := outlook(t, a, day, sla.Evidence{Observed: day.Interval}, at)
			same(t, "len(o.Services)", len(o.Services), 0)
			same(t, "len(o.Findings)", len(o.Findings), 2)
			for i, service := range []string{"api", "web"} {
				same(t, "o.Findings[i].Code", o.Findings[i].Code, sla.FindingNotCondensed)
				same(t, "o.Findings[i].Ref", o.Findings[i].Ref, service)
			}
			same(t, "o.AtRisk.String()", o.AtRisk.String(), "500.00 EUR")
		})
	}
}

func TestOutlookWithoutData(t *testing.T) {
	a := reference(t, sla.Professional)
	p := month(t, a, "2026-03")
	o := outlook(t, a, p, sla.Evidence{}, p.End)
	same(t, "len(o.Services)", len(o.Services), 0)
	same(t, "len(o.Findings)", len(o.Findings), 1)
	same(t, "o.Findings[0].Code", o.Findings[0].Code, sla.FindingNoData)
	same(t, "AtRisk", o.AtRisk.Sign(), 0)

	// Before the period all of it lies ahead, and nothing is unknown: 0.5 % of
	// 743 h are 3h42m54s.
	o = outlook(t, a, p, sla.Evidence{}, p.Start.AddDate(0, -1, 0))
	same(t, "o.At", o.At, p.Start)
	same(t, "o.Services[0].Left", o.Services[0].Left, 3*time.Hour+42*time.Minute+54*time.Second)
	same(t, "len(o.Findings)", len(o.Findings), 0)

	_, err := a.Outlook(p, sla.Evidence{Outages: []sla.Outage{{Start: p.End, End: p.Start}}}, p.Start)
	if bad := (*sla.EvidenceError)(nil); !errors.As(err, &bad) {
		t.Errorf("error %v, want an EvidenceError", err)
	}
	_, err = a.Outlook(sla.Period{}, sla.Evidence{}, p.Start)
	if !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("error %v, want %v", err, sla.ErrPeriod)
	}
}

// A clock that never reaches its target can not be missed, and is said to be so.
func TestOutlookUnreachableClock(t *testing.T) {
	c := a0(t)
	c.Calendars = map[string]calendar.Hours{"never": {Zone: "UTC", Special: map[string][]calendar.Span{"1990-01-02": {{From: "08:00", To: "09:00"}}}}}
	c.Terms = []sla.Term{resolution(sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour, Calendar: "never"}}})}
	a, err := sla.Compile(c)
	noError(t, err)
	p := a.PeriodAt(vectorStart)
	e := sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{{ID: "INC-1", Severity: incident.P1, Opened: p.Start}}}
	o, err := a.Outlook(p, e, p.Start.Add(time.Hour))
	noError(t, err)
	same(t, "len(o.Clocks)", len(o.Clocks), 0)
	same(t, "len(o.Findings)", len(o.Findings), 1)
	same(t, "o.Findings[0].Ref", o.Findings[0].Ref, "INC-1")
}

// randomUptime is a contract of two services whose downtime is simply added up.
func randomUptime(t *testing.T, r *rand.Rand) *sla.Agreement {
	t.Helper()
	pick := func(texts ...string) money.Percent { return percent(texts[r.IntN(len(texts))]) }
	zones := []string{"Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC"}
	own := pick("99.7", "98")
	a := sla.Availability{
		Target: pick("100", "99.9", "99.5", "99", "95"), Strict: r.IntN(3) == 0, ExcludeMode: sla.ExcludeMode(r.IntN(2)), Unknown: sla.Unknown(r.IntN(3)),
		Exclude: []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer}, MinNotice: time.Duration(r.IntN(3)) * 36 * time.Hour,
		Services: []sla.Service{{ID: "api"}, {ID: "web", Target: &own}}, Aggregate: sla.PerService,
		Measure: sla.Uptime{FromReport: r.IntN(4) == 0},
	}
	switch r.IntN(4) {
	case 0:
		a.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true}
	case 1:
		a.Remedy = sla.Bands{Bands: []sla.Band{
			{Below: percent("99.9"), From: percent("99"), Days: 3, AtBelow: true, NotAtFrom: true},
			{Below: percent("99"), From: percent("95"), Days: 15},
			{Below: percent("95"), Days: 30},
		}}
	case 2:
		a.Remedy = sla.LostTime{Times: 2}
	default:
		a.Remedy = sla.Bands{Bands: sla.ReferenceBands()}
	}
	c := sla.Contract{
		ID: "random", Zone: zones[r.IntN(len(zones))], Fee: money.Must(money.Parse("33333.33 EUR")),
		Terms: []sla.Term{{ID: "uptime", Availability: &a}},
	}
	if r.IntN(2) == 0 {
		a.ServiceHours = "office"
		week := calendar.MondayToFriday("09:00", "17:30")
		week[time.Saturday] = []calendar.Span{{From: "22:00", To: "06:00"}}
		c.Calendars = map[string]calendar.Hours{"office": {Zone: c.Zone, Week: week}}
	}
	if r.IntN(5) == 0 {
		limit := percent("60")
		c.CapPercent = &limit
	}
	agreement, err := sla.Compile(c)
	noError(t, err)
	return agreement
}

// randomPast is evidence about a period as it may stand at an instant: what began
// before, and maintenance that is planned.
func randomPast(r *rand.Rand, p sla.Period, at time.Time) sla.Evidence {
	upTo := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most) + 1)) }
	before := func() time.Time { return at.Add(-upTo(at.Sub(p.Start) + 24*time.Hour)) }
	service := func() string { return []string{"api", "web", "", "*"}[r.IntN(4)] }
	e := sla.Evidence{Observed: calendar.Interval{Start: p.Start, End: at}}
	if r.IntN(4) == 0 {
		e.Observed.Start = p.Start.Add(upTo(at.Sub(p.Start) / 3))
	}
	for range r.IntN(5) {
		o := sla.Outage{Service: service(), Start: before(), Degraded: r.IntN(6) == 0}
		o.End = o.Start.Add(upTo(min(at.Sub(o.Start), 6*time.Hour)))
		if r.IntN(4) == 0 {
			o.Cause = sla.CauseCustomer
		}
		if r.IntN(3) == 0 {
			o.Reported = o.Start.Add(upTo(o.End.Sub(o.Start)))
		}
		e.Outages = append(e.Outages, o)
	}
	for range r.IntN(3) {
		g := sla.Gap{Service: service(), Start: before()}
		g.End = g.Start.Add(upTo(min(at.Sub(g.Start), 9*time.Hour)))
		e.Gaps = append(e.Gaps, g)
	}
	for range r.IntN(5) {
		start := p.Start.Add(upTo(p.Duration()))
		m := sla.Maintenance{Service: service(), Start: start, End: start.Add(upTo(30 * time.Hour)), Announced: start.Add(-upTo(100 * time.Hour))}
		if !m.Announced.After(at) {
			e.Maintenance = append(e.Maintenance, m)
		}
	}
	return e
}

// standing returns what a statement says about a service and its band.
func standing(s sla.Statement, service string) (m sla.Measured, band *sla.Band, credit int64) {
	for _, m = range s.Availability {
		if m.Service == service {
			break
		}
	}
	for _, l := range s.Lines {
		if l.Service == service {
			band, credit = l.Band, l.Amount.Minor()
		}
	}
	return m, band, credit
}

// With exactly what is left the target is still met and the band still the same,
// with a nanosecond more it is not; the evaluation says so.
func TestOutlookAgainstEvaluate(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	missed, crossed, safe := 0, 0, 0
	for range 250 {
		a := randomUptime(t, r)
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		ahead := []time.Duration{p.Duration(), 20 * time.Hour}[r.IntN(2)]
		at := p.End.Add(-time.Duration(r.Int64N(int64(ahead))))
		e := randomPast(r, p, at)
		o := outlook(t, a, p, e, at)
		e.Observed.End = p.End

		whole := evaluate(t, a, p, e)
		worst := e
		worst.Outages = append(slices.Clone(e.Outages), sla.Outage{Start: at, End: p.End})
		same(t, "o.SoFar", o.SoFar, whole.Payable)
		same(t, "o.Worst", o.Worst, evaluate(t, a, p, worst).Payable)
		same(t, "o.AtRisk.Minor()", o.AtRisk.Minor(), o.Worst.Minor()-o.SoFar.Minor())
		same(t, "a risk below 0", o.AtRisk.Sign() < 0, false)

		// later returns the standing of a service if it is down from the instant of
		// the outlook until another one, or in the last part of the period.
		later := func(service string, start, end time.Time) (sla.Measured, *sla.Band, int64) {
			more := e
			more.Outages = append(slices.Clone(e.Outages), sla.Outage{Service: service, Start: start, End: end})
			return standing(evaluate(t, a, p, more), service)
		}
		for _, s := range o.Services {
			m, band, _ := standing(whole, s.Service)
			same(t, "s.Outcome", s.Outcome, m.Outcome)
			same(t, "s.Down", s.Down, m.Down)
			same(t, "s.Promised", s.Promised, m.Promised)
			same(t, "s.Value", s.Value, m.Value)
			same(t, "s.Band", s.Band, band)
			down, _, _ := later(s.Service, at, p.End)
			same(t, "down.Down-m.Down", down.Down-m.Down, s.Rest)

			switch {
			case s.Left < 0:
				same(t, "m.Outcome", m.Outcome, sla.Missed)
				same(t, "s.BreachAt", s.BreachAt, time.Time{})
			case s.Left >= s.Rest:
				safe++
				same(t, "s.BreachAt", s.BreachAt, time.Time{})
				same(t, "down.Outcome", down.Outcome, sla.Met)
			default:
				missed++
				still, _, _ := later(s.Service, at, s.BreachAt)
				same(t, "still.Down-m.Down", still.Down-m.Down, s.Left)
				same(t, "still.Outcome", still.Outcome, sla.Met)
				over, _, _ := later(s.Service, at, s.BreachAt.Add(1))
				same(t, "over.Down-m.Down", over.Down-m.Down, s.Left+1)
				same(t, "over.Outcome", over.Outcome, sla.Missed)

				// The same at the end of the period, found without the outlook.
				if missed%4 > 0 {
					break
				}
				length := time.Duration(0)
				for step := p.End.Sub(at); step > 0; step = (step + 1) / 2 {
					if late, _, _ := later(s.Service, p.End.Add(-min(length+step, p.End.Sub(at))), p.End); late.Outcome == sla.Met {
						length = min(length+step, p.End.Sub(at))
					} else if step == 1 {
						break
					}
				}
				late, _, _ := later(s.Service, p.End.Add(-length), p.End)
				same(t, "late.Down-m.Down", late.Down-m.Down, s.Left)
			}
			for _, next := range s.Ahead {
				if next.Left >= s.Rest {
					same(t, "next.At", next.At, time.Time{})
					break
				}
				crossed++
				_, still, _ := later(s.Service, at, next.At)
				same(t, "still", still, band)
				over, then, credit := later(s.Service, at, next.At.Add(1))
				same(t, "over.Down-m.Down", over.Down-m.Down, next.Left+1)
				same(t, "then", then, next.Band)
				same(t, "next.Credit.Minor()", next.Credit.Minor(), credit)
				band = next.Band
			}
		}
	}
	for name, n := range map[string]int{"missed": missed, "bands": crossed, "safe": safe} {
		if n < 20 {
			t.Errorf("%d cases of %s are too few to say anything", n, name)
		}
	}
}

// What comes after the instant does not show: the outlook from the whole evidence
// of a month is that from the evidence as it stood.
func TestOutlookKnowsNothingOfTheFuture(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	for range 200 {
		a := reference(t, sla.Tiers[r.IntN(3)])
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		at := p.Start.Add(time.Duration(r.Int64N(int64(p.Duration()))))
		all := randomEvidence(r, p)
		all.Observed.End = p.End.Add(time.Hour)

		past := sla.Evidence{Observed: calendar.Interval{Start: all.Observed.Start, End: at}}
		for _, o := range all.Outages {
			if o.End.After(at) {
				o.End = time.Time{}
			}
			if !o.Start.After(at) {
				past.Outages = append(past.Outages, o)
			}
		}
		for _, m := range all.Maintenance {
			if !m.Announced.After(at) {
				past.Maintenance = append(past.Maintenance, m)
			}
		}
		for _, g := range all.Gaps {
			if g.End.After(at) {
				g.End = time.Time{}
			}
			if !g.Start.After(at) {
				past.Gaps = append(past.Gaps, g)
			}
		}
		for _, in := range all.Incidents {
			if in.Resolved.After(at) {
				in.Resolved = time.Time{}
			}
			if in.Responded.After(at) {
				in.Responded = time.Time{}
			}
			if !in.Opened.After(at) {
				past.Incidents = append(past.Incidents, in)
			}
		}
		same(t, "outlook(t, a, p, all, at)", outlook(t, a, p, all, at), outlook(t, a, p, past, at))
	}
}

// An incident is taken as it stood at noon: within 4 hours it has to be resolved, or
// 5 % of 1000.00 are due.
func TestOutlookClocks(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms = []sla.Term{resolution(sla.Clock{
		Pausable: true, Targets: []sla.Target{{Severity: incident.P1, Within: 4 * time.Hour, CreditPercent: percent("5")}},
	})}
	a, err := sla.Compile(c)
	noError(t, err)
	at, _ := hoursOf(12, 0)
	in := func(h time.Duration) time.Time { return at.Add(h * time.Hour) }
	for _, c := range []struct {
		name     string
		change   func(*sla.Incident)
		breachIn time.Duration // hours; 0 for no clock that may still be missed
		worst    string
	}{
		{"runs", func(*sla.Incident) {}, 2, "50.00 EUR"},
		{"waits until later", func(i *sla.Incident) { i.Pauses = []calendar.Interval{{Start: in(-1), End: in(10)}} }, 3, "50.00 EUR"},
		{"waited", func(i *sla.Incident) { i.Pauses = []calendar.Interval{{Start: in(-2), End: in(-1)}} }, 3, "50.00 EUR"},
		{"waits later", func(i *sla.Incident) { i.Pauses = []calendar.Interval{{Start: in(1), End: in(24)}} }, 2, "50.00 EUR"},
		{"resolved", func(i *sla.Incident) { i.Resolved = in(-1) }, 0, "0.00 EUR"},
		{"resolved later", func(i *sla.Incident) { i.Resolved = in(1) }, 2, "50.00 EUR"},
		{"resolved and later reopened", func(i *sla.Incident) {
			i.Closed, i.Resolved = []calendar.Interval{{Start: in(-1), End: in(1)}}, in(9)
		}, 0, "0.00 EUR"},
		{"resolved twice at once and later reopened", func(i *sla.Incident) {
			i.Closed = []calendar.Interval{{Start: in(-1), End: at}, {Start: at.Add(-30 * time.Minute), End: in(1)}}
			i.Resolved = in(9)
		}, 0, "0.00 EUR"},
		{"reopened", func(i *sla.Incident) { i.Closed = []calendar.Interval{{Start: in(-1), End: at}} }, 3, "50.00 EUR"},
		{"cancelled later", func(i *sla.Incident) { i.Cancelled = in(1) }, 2, "50.00 EUR"},
		{"reset later", func(i *sla.Incident) { i.Resets = []time.Time{in(1)} }, 2, "50.00 EUR"},
		{"a severity without target", func(i *sla.Incident) {
			i.Severity, i.Severities = incident.P2, []sla.SeverityChange{{At: in(1), Severity: incident.P1}}
		}, 0, "0.00 EUR"},
		{"opened later", func(i *sla.Incident) { i.Opened = in(1) }, 0, "0.00 EUR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := sla.Incident{ID: "INC-1", Severity: incident.P1, Opened: in(-2)}
			c.change(&one)
			o := outlook(t, a, day, sla.Evidence{Observed: day.Interval, Incidents: []sla.Incident{one}}, at)
			same(t, "so far", o.SoFar.String(), "0.00 EUR")
			same(t, "worst", o.Worst.String(), c.worst)
			if c.breachIn == 0 {
				same(t, "clocks", len(o.Clocks), 0)
				return
			}
			same(t, "clocks", len(o.Clocks), 1)
			same(t, "breach", o.Clocks[0].BreachAt, in(c.breachIn))
			same(t, "credit", o.Clocks[0].Credit.String(), "50.00 EUR")
		})
	}
	// Four hours from 21:00 on end after the period: a credit of the next one.
	late := day.Start.Add(21 * time.Hour)
	o := outlook(t, a, day, sla.Evidence{Observed: day.Interval, Incidents: []sla.Incident{{ID: "INC-1", Severity: incident.P1, Opened: late}}}, late)
	same(t, "breach", o.Clocks[0].BreachAt, day.End.Add(time.Hour))
	same(t, "at risk", o.AtRisk.String(), "0.00 EUR")
}

func TestOutlookJSON(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := month(t, a, "2026-10")
	at := p.Start.AddDate(0, 0, 9)
	e := sla.Evidence{Observed: calendar.Interval{Start: p.Start, End: at}, Incidents: []sla.Incident{{ID: "INC-1", Severity: incident.P2, Opened: at}}}
	data, err := json.Marshal(outlook(t, a, p, e, at))
	noError(t, err)
	var back sla.Outlook
	noError(t, json.Unmarshal(data, &back))
	again, err := json.Marshal(back)
	noError(t, err)
	same(t, "JSON once more", string(again), string(data))
	if want := `"left_ns":2682000000000,`; !strings.Contains(string(data), want) { // 0.1 % of 745 h are 44m42s
		t.Errorf("JSON lacks %s:\n%s", want, data)
	}
}
